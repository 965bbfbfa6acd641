//! The settings of the network room: `[network]` in the configuration.

use std::{net::SocketAddr, path::PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

use super::{BearerToken, NetworkError, Paces};
use crate::model::LookupKind;

/// How the network is reached, and how politely.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// DNS servers, `ADDRESS` or `ADDRESS:PORT`; empty: those of the system.
    #[serde(deserialize_with = "socket_addresses")]
    pub dns_servers: Vec<SocketAddr>,
    /// PEM files with further certificate authorities, beside those of the system (`SSL_CERT_FILE` is honoured).
    pub ca_files: Vec<PathBuf>,
    /// Private or special networks that may be reached, in CIDR notation.
    pub allow_networks: Vec<IpNet>,
    /// Where to reach whoever runs this, shown in the User-Agent: a URL or a mail address; empty: none.
    pub contact: String,
    /// Seconds to wait for a connection, TLS included; 1 to 60.
    pub connect_timeout_seconds: u64,
    /// Seconds to wait for a whole answer of one hop; 1 to 120.
    pub timeout_seconds: u64,
    /// Seconds to wait for a DNS answer of one server; 1 to 30.
    pub dns_timeout_seconds: u64,
    /// HTTP requests in flight at most; 1 to 1024.
    pub concurrency: usize,
    /// HTTP requests in flight to one host at most; it begins with one, and gets one more for each answer; 1 to 64.
    pub host_concurrency: usize,
    /// DNS queries in flight at most; 1 to 1024.
    pub dns_concurrency: usize,
    /// Milliseconds to wait before a failed lookup is asked a second time; 0 to 60000.
    pub retry_pause_milliseconds: u64,
    /// Seconds that one lookup waits at most for a host that asked for a pause (Retry-After); while more than that is
    /// left, the host is left alone and its lookups fail; 0 to 900.
    pub hold_limit_seconds: u64,
    /// Reaches a host elsewhere than DNS says: a new server before its record is changed, or one behind a port forward.
    pub connect_to: Vec<ConnectTo>,
    /// The pace of each kind of lookup: `[lookups.NAME]`, which stands outside `[network]`.
    #[serde(skip)]
    pub paces: Paces,
    /// The bearer token for the SOAP interface of Exchange Online's Autodiscover: `lookups.autodiscover-soap.bearer_token`.
    #[serde(skip)]
    pub soap_token: Option<BearerToken>,
    /// Names that are taken for aliases, whatever DNS says of them: what a check assumes. No key of a configuration.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
}

/// A name, and what it is an alias of (RFC 1034 section 3.6.2); both lower case, without the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name that is looked up.
    pub name: String,
    /// The name whose records it has.
    pub target: String,
}

/// One detour, as curl's `--connect-to`: only where the connection goes changes; name, certificate and Host header stay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectTo {
    /// The host it is for; absent: every host.
    #[serde(default)]
    pub host: Option<String>,
    /// The port it is for: one of [`DETOUR_PORTS`].
    pub port: u16,
    /// The IP address to connect to, which may be private; DNS is not asked then. Absent: as DNS says.
    #[serde(default)]
    pub to_address: Option<std::net::IpAddr>,
    /// The port to connect to; absent: the same.
    #[serde(default)]
    pub to_port: Option<u16>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dns_servers: Vec::new(),
            ca_files: Vec::new(),
            allow_networks: Vec::new(),
            contact: String::new(),
            connect_timeout_seconds: 5,
            timeout_seconds: 10,
            dns_timeout_seconds: 3,
            concurrency: 64,
            host_concurrency: 4,
            dns_concurrency: 64,
            retry_pause_milliseconds: 2_000,
            hold_limit_seconds: 60,
            connect_to: Vec::new(),
            paces: Paces::default(),
            soap_token: None,
            aliases: Vec::new(),
        }
    }
}

impl Settings {
    /// Checks the ranges that the fields name.
    ///
    /// # Errors
    /// [`NetworkError`] with the first field that is out of its range.
    pub fn check(&self) -> Result<(), NetworkError> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        for (setting, value, least, most) in [
            ("connect_timeout_seconds", self.connect_timeout_seconds, 1, 60),
            ("timeout_seconds", self.timeout_seconds, 1, 120),
            ("dns_timeout_seconds", self.dns_timeout_seconds, 1, 30),
            ("concurrency", count(self.concurrency), 1, 1024),
            ("host_concurrency", count(self.host_concurrency), 1, 64),
            ("dns_concurrency", count(self.dns_concurrency), 1, 1024),
            ("retry_pause_milliseconds", self.retry_pause_milliseconds, 0, 60_000),
            ("hold_limit_seconds", self.hold_limit_seconds, 0, 900),
        ] {
            if !(least..=most).contains(&value) {
                return Err(NetworkError::OutOfRange { setting, value, least, most });
            }
        }
        self.paces.check()?;
        match self.connect_to.iter().find(|detour| !DETOUR_PORTS.contains(&detour.port)) {
            Some(detour) => Err(NetworkError::ConnectToPort { port: detour.port }),
            None => Ok(()),
        }
    }

    /// Whether lookups of this kind are asked.
    #[must_use]
    pub fn is_enabled(&self, kind: LookupKind) -> bool {
        self.paces.of(kind).enabled
    }
}

fn socket_addresses<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| {
            let address = text.parse::<SocketAddr>().ok();
            address.or_else(|| text.parse().ok().map(|ip| SocketAddr::new(ip, DNS_PORT)))
        })
        .zip(&texts)
        .map(|(address, text)| address.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not ADDRESS or ADDRESS:PORT"))))
        .collect()
}

const DNS_PORT: u16 = 53;
/// The ports that `network.connect_to` can be for: those of the web and of mail servers.
pub const DETOUR_PORTS: [u16; 9] = [80, 443, 25, 110, 143, 465, 587, 993, 995];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_servers_are_read_with_and_without_a_port() {
        let settings: Settings = toml::from_str("dns_servers = ['192.0.2.53', '2001:db8::53', '192.0.2.53:5353', '[::1]:5353']").unwrap();
        let written: Vec<String> = settings.dns_servers.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.53:5353", "[::1]:5353"]);
        let error = toml::from_str::<Settings>("dns_servers = ['dns.contoso.com']").unwrap_err();
        assert!(error.message().contains("`dns.contoso.com` is not ADDRESS or ADDRESS:PORT"));
    }

    #[test]
    fn what_the_defaults_say_is_in_range_and_a_misspelt_key_is_refused() {
        assert!(Settings::default().check().is_ok());
        assert!(toml::from_str::<Settings>("timeout = 5").is_err());
    }
}
