//! URL templates of `clients.toml`.

use serde::{Deserialize, Deserializer};

use super::database::IspDatabase;
use crate::model::{Address, EMAIL_ADDRESS_IN_URL, Lookup, LookupKind, Request, Subject};

/// A URL with `{domain}`, `{address}`, `{mx}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

fn check(text: &str) -> Result<(), String> {
    for part in text.split('{').skip(1) {
        let name = part.split_once('}').map_or(part, |(name, _)| name);
        if !["domain", "address", "mx"].contains(&name) {
            return Err(format!("`{{{name}}}` in `{text}` is not known: write {{domain}}, {{address}} or {{mx}}"));
        }
    }
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err(format!("`{text}` is not an http or https URL"));
    }
    Ok(())
}

impl Template {
    /// Whether it needs an MX.
    pub(super) fn is_of_mx(&self) -> bool {
        self.0.contains(MX)
    }

    /// The URL as the client itself would write it.
    pub(super) fn shown(&self, address: &Address, mx: &str) -> String {
        let url = self.0.replace("{domain}", address.domain().as_str()).replace(MX, mx);
        url.replace("{address}", &address.percent_encoded())
    }

    /// The database that it is of, where it depends on one name alone and names no mailbox.
    pub(super) fn database(&self) -> Option<IspDatabase> {
        let parts = self.0.split_once(if self.is_of_mx() { MX } else { DOMAIN })?;
        (![parts.0, parts.1].concat().contains('{')).then(|| IspDatabase::new(parts))
    }

    /// The lookup for a subject; `mx` is the name that the MX was reduced to, for a template that needs one.
    pub(super) fn lookup(&self, kind: LookupKind, subject: &Subject, mx: Option<&str>) -> Option<Lookup> {
        let mut url = self.0.replace("{domain}", subject.address.domain().as_str());
        if self.is_of_mx() {
            url = url.replace(MX, mx?);
        }
        let (_, after_scheme) = url.split_once("://")?;
        let probe = subject.address_for(after_scheme.split(['/', ':', '?']).next()?);
        let written = probe.percent_encoded();
        let shown = if probe == subject.address { EMAIL_ADDRESS_IN_URL } else { &written };
        let asked = url.replace("{address}", shown);
        let (url, address) = (url.replace("{address}", &written), url.contains("{address}").then_some(probe));
        Some(Lookup { kind, request: Request::Get { url, address }, asked })
    }
}

const MX: &str = "{mx}";
const DOMAIN: &str = "{domain}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_goes_to_the_own_domain_and_postmaster_to_strangers() {
        let subject = Subject { address: Address::parse("=anna+b@contoso.com").unwrap() };
        let lookup = |template: &str, mx: Option<&str>| Template(template.to_owned()).lookup(LookupKind::OwnAutoconfig, &subject, mx);
        let own = lookup("https://autoconfig.{domain}/c.xml?emailaddress={address}", None).unwrap();
        let url = "https://autoconfig.contoso.com/c.xml?emailaddress=%3Danna%2Bb%40contoso.com".to_owned();
        assert_eq!(own.request, Request::Get { url, address: "=anna+b@contoso.com".parse().ok() });
        assert_eq!(own.asked, "https://autoconfig.contoso.com/c.xml?emailaddress=%EMAILADDRESS:URL%");
        let stranger = lookup("https://autoconfig.{mx}/c.xml?emailaddress={address}", Some("outlook.com")).unwrap();
        assert_eq!(stranger.asked, "https://autoconfig.outlook.com/c.xml?emailaddress=postmaster%40contoso.com");
        assert_eq!(lookup("https://autoconfig.{mx}/", None), None);
    }
}
