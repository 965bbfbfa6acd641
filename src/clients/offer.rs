//! Servers as rows of `clients.toml` write them: `imap tls 993 imap.{domain} mail.{domain}`.

use serde::{Deserialize, Deserializer};

use crate::model::{EMAIL_ADDRESS, Protocol, Security, Server};

/// A protocol, its protection, its ports and its hosts, the preferred ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What is spoken.
    pub protocol: Protocol,
    /// How the connection is protected.
    pub security: Security,
    /// Ports of each host.
    pub ports: Vec<u16>,
    /// Hosts; `{domain}` stands for the mail domain, `{mx}` for the MX host.
    pub hosts: Vec<String>,
}

impl<'de> Deserialize<'de> for Offer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            let form = "write `PROTOCOL SECURITY PORT[,PORT] HOST…`, such as `imap tls 993 imap.{domain} {domain}`";
            serde::de::Error::custom(format!("`{text}` names no server: {form}"))
        })
    }
}

fn parse(text: &str) -> Option<Offer> {
    let mut words = text.split(' ');
    let protocol = words.next()?.parse().ok()?;
    let written = words.next()?;
    let security = [Security::Tls, Security::StartTls, Security::Plain].into_iter().find(|known| known.as_str() == written)?;
    let ports: Option<Vec<u16>> = words.next()?.split(',').map(|port| port.parse().ok().filter(|port| *port != 0)).collect();
    let hosts: Vec<String> = words.map(str::to_owned).collect();
    (!hosts.is_empty() && hosts.iter().all(|host| is_host(host))).then_some(Offer { protocol, security, ports: ports?, hosts })
}

fn is_host(text: &str) -> bool {
    let bare = text.replace(DOMAIN, "a").replace(MX, "a");
    let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-.".contains(character);
    !bare.is_empty() && bare.chars().all(fits)
}

impl Offer {
    /// Whether a host of it is made from the MX.
    pub(super) fn needs_mx(&self) -> bool {
        self.hosts.iter().any(|host| host.contains(MX))
    }

    /// Each host and port, in order. Hosts that need an MX are left out where there is none.
    pub(super) fn places(&self, domain: &str, mx: Option<&str>) -> Vec<(String, u16)> {
        let filled = |host: &String| match mx {
            None if host.contains(MX) => None,
            _ => Some(host.replace(DOMAIN, domain).replace(MX, mx.unwrap_or_default())),
        };
        let hosts = self.hosts.iter().filter_map(filled);
        hosts.flat_map(|host| self.ports.iter().map(move |port| (host.clone(), *port))).collect()
    }

    /// The server at a host and port.
    pub(super) fn server(&self, (host, port): (String, u16)) -> Server {
        let (protocol, security) = (self.protocol, self.security);
        Server { protocol, host, port, security, auth: Vec::new(), username: EMAIL_ADDRESS.to_owned(), class: None }
    }
}

const DOMAIN: &str = "{domain}";
const MX: &str = "{mx}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_come_in_order() {
        let offer = parse("smtp starttls 587,25 smtp.{domain} {mx}").unwrap();
        let places = |mx| offer.places("contoso.com", mx).iter().map(|(host, port)| format!("{host}:{port}")).collect::<Vec<_>>();
        assert_eq!(places(Some("mx.example")), ["smtp.contoso.com:587", "smtp.contoso.com:25", "mx.example:587", "mx.example:25"]);
        assert_eq!(places(None), ["smtp.contoso.com:587", "smtp.contoso.com:25"]);
        assert!(offer.needs_mx());
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for text in [
            "",
            "imap",
            "imap tls 993",
            "imap ssl 993 a.example",
            "imap tls 0 a.example",
            "imap tls 993 A.example",
            "x tls 1 a",
            "imap tls 993 {name}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
