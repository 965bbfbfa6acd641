//! URL templates of `clients.toml`.

use serde::{Deserialize, Deserializer};

use crate::model::{EMAIL_ADDRESS_IN_URL, Lookup, LookupKind, Request, Subject};

use super::reduction::Mx;

/// A URL with `{domain}`, `{address}`, `{mx-parent}`, `{mx-base}`.
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
        if !["domain", "address", MX_PARENT, MX_BASE].contains(&name) {
            return Err(format!("`{{{name}}}` in `{text}` is not known: write {{domain}}, {{address}}, {{mx-parent}} or {{mx-base}}"));
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
        self.uses(MX_PARENT) || self.uses(MX_BASE)
    }

    /// Whether it is about the MX host without its first label.
    pub(super) fn is_of_mx_parent(&self) -> bool {
        self.uses(MX_PARENT)
    }

    fn uses(&self, name: &str) -> bool {
        self.0.contains(&format!("{{{name}}}"))
    }

    /// The name that the MX is reduced to; `None` where the template is not of the MX, or the MX has no such name.
    pub(super) fn key<'a>(&self, mx: &'a Mx) -> Option<&'a str> {
        if self.uses(MX_PARENT) { mx.parent.as_deref() } else { self.uses(MX_BASE).then_some(mx.base.as_str()) }
    }

    /// The lookup for a subject; `None` where the MX has no such name.
    pub(super) fn lookup(&self, kind: LookupKind, subject: &Subject, mx: Option<&Mx>) -> Option<Lookup> {
        let domain = subject.address.domain();
        let mut url = self.0.replace("{domain}", domain.as_str());
        if self.is_of_mx() {
            let key = self.key(mx?)?;
            url = url.replace(&format!("{{{MX_PARENT}}}"), key).replace(&format!("{{{MX_BASE}}}"), key);
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

const MX_PARENT: &str = "mx-parent";
const MX_BASE: &str = "mx-base";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Address;

    fn lookup(template: &str, mx: Option<&Mx>) -> Option<Lookup> {
        let subject = Subject { address: Address::parse("=anna+b@contoso.com").unwrap() };
        Template(template.to_owned()).lookup(LookupKind::OwnAutoconfig, &subject, mx)
    }

    #[test]
    fn the_address_goes_to_the_own_domain_and_postmaster_to_strangers() {
        let own = lookup("https://autoconfig.{domain}/c.xml?emailaddress={address}", None).unwrap();
        let url = "https://autoconfig.contoso.com/c.xml?emailaddress=%3Danna%2Bb%40contoso.com".to_owned();
        assert_eq!(own.request, Request::Get { url, address: "=anna+b@contoso.com".parse().ok() });
        assert_eq!(own.asked, "https://autoconfig.contoso.com/c.xml?emailaddress=%EMAILADDRESS:URL%");
        let mx = Mx::reduce("contoso-com.mail.protection.outlook.com", "contoso.com").unwrap();
        let stranger = lookup("https://autoconfig.{mx-base}/c.xml?emailaddress={address}", Some(&mx)).unwrap();
        assert_eq!(stranger.asked, "https://autoconfig.outlook.com/c.xml?emailaddress=postmaster%40contoso.com");
    }

    #[test]
    fn a_template_of_the_mx_parent_is_left_out_where_there_is_none() {
        let mx = Mx::reduce("mx1.hotmail.com", "contoso.com").unwrap();
        assert_eq!(lookup("https://db.example/{mx-parent}", Some(&mx)), None);
        assert_eq!(lookup("https://db.example/{mx-base}", Some(&mx)).unwrap().asked, "https://db.example/hotmail.com");
    }
}
