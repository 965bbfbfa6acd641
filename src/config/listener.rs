//! `[listener]`: where the service shows how it is and gives its report.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

use crate::alert::SecretSource;

/// `[listener]`: where the service shows how it is and gives its report, over HTTP, read-only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerSettings {
    /// `ADDRESS:PORT` (`127.0.0.1:9843` unless said otherwise), `unix:PATH` with an absolute path, or `off`.
    pub address: ListenAddress,
    /// Where the token is that the report asks for (RFC 6750): `{ file = "…" }`, `{ credential = "…" }` or `{ env = "…" }`. Without one
    /// nobody gets the report.
    pub token: Option<SecretSource>,
    /// Further names by which it may be called; on a loopback address it answers to `localhost` and the address, and to no other,
    /// as a web page could otherwise reach it under a name of its own.
    pub names: Vec<String>,
}

/// Where the listener listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ListenAddress {
    /// Nowhere.
    Off,
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system, for its owner and group.
    Unix(PathBuf),
}

/// Why listener settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenerFault {
    /// No address.
    #[error("`{0}` is no address to listen on; write ADDRESS:PORT, unix:/PATH or off")]
    Address(String),
    /// Whoever reaches it could read the report.
    #[error("`{0}` can be reached from other machines; set a token, or listen on a loopback address or a socket")]
    Open(SocketAddr),
    /// No name of a host.
    #[error("`{0}` is no host name; write it without scheme and port")]
    Name(String),
}

impl ListenerSettings {
    /// Checks across the fields.
    ///
    /// # Errors
    /// [`ListenerFault::Open`] where other machines could reach it and there is no token; [`ListenerFault::Name`].
    pub fn check(&self) -> Result<(), ListenerFault> {
        let is_name = |name: &String| {
            !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || "-._".contains(character))
        };
        if let Some(name) = self.names.iter().find(|name| !is_name(name)) {
            return Err(ListenerFault::Name(name.clone()));
        }
        match &self.address {
            ListenAddress::Tcp(address) if !address.ip().to_canonical().is_loopback() && self.token.is_none() => {
                Err(ListenerFault::Open(*address))
            }
            _ => Ok(()),
        }
    }
}

impl ListenAddress {
    /// Where a program on the same machine reaches it; `None`: nowhere.
    #[must_use]
    pub fn to_connect(&self) -> Option<Self> {
        match self {
            Self::Off => None,
            Self::Unix(path) => Some(Self::Unix(path.clone())),
            Self::Tcp(address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                    ip => ip,
                };
                Some(Self::Tcp(SocketAddr::new(ip, address.port())))
            }
        }
    }
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self::Tcp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT))
    }
}

impl FromStr for ListenAddress {
    type Err = ListenerFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        match text.strip_prefix("unix:").map(Path::new) {
            Some(path) if path.is_absolute() => Ok(Self::Unix(path.to_owned())),
            Some(_) => Err(ListenerFault::Address(text.to_owned())),
            None => text.parse().map(Self::Tcp).map_err(|_| ListenerFault::Address(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = ListenerFault;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => out.write_str("off"),
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

const PORT: u16 = 9843;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written_and_others_are_refused() {
        for text in ["127.0.0.1:9843", "[::1]:80", "unix:/run/autodiscover-audit/http.sock", "off"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        assert_eq!(ListenAddress::default().to_string(), "127.0.0.1:9843");
        for text in ["", "localhost:80", "127.0.0.1", "unix:http.sock", "unix:", "/run/http.sock", "OFF"] {
            assert_eq!(text.parse::<ListenAddress>(), Err(ListenerFault::Address(text.into())), "{text}");
        }
    }

    #[test]
    fn without_a_token_only_this_machine_may_reach_it() {
        for (address, is_open) in [
            ("127.0.0.1:1", false),
            ("127.9.9.9:1", false),
            ("[::1]:1", false),
            ("[::ffff:127.0.0.1]:1", false),
            ("unix:/run/x", false),
            ("off", false),
            ("0.0.0.0:1", true),
            ("[::]:1", true),
            ("192.0.2.1:1", true),
        ] {
            let settings = ListenerSettings { address: address.parse().unwrap(), ..ListenerSettings::default() };
            assert_eq!(matches!(settings.check(), Err(ListenerFault::Open(_))), is_open, "{address}");
            let token = Some(SecretSource::Credential("listener-token".into()));
            assert_eq!(ListenerSettings { token, ..settings }.check(), Ok(()), "{address}");
        }
        let named = |name: &str| ListenerSettings { names: vec![name.into()], ..ListenerSettings::default() }.check().is_ok();
        assert_eq!(["audit.contoso.com", "https://contoso.com", "contoso.com:80", ""].map(named), [true, false, false, false]);
    }

    #[test]
    fn what_listens_everywhere_is_reached_on_loopback() {
        for (address, expected) in
            [("0.0.0.0:5", Some("127.0.0.1:5")), ("[::]:5", Some("[::1]:5")), ("192.0.2.1:5", Some("192.0.2.1:5")), ("off", None)]
        {
            let address: ListenAddress = address.parse().unwrap();
            assert_eq!(address.to_connect().map(|address| address.to_string()).as_deref(), expected);
        }
    }
}
