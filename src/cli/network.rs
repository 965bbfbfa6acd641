//! The options by which the network is reached, for commands that work without a configuration.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use ipnet::IpNet;

use crate::network::{ConnectTo, Settings};

/// How the network is reached; each adds to what the configuration says.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArgs {
    /// Allows a private or special network, which is refused otherwise
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<IpNet>,
    /// Asks this DNS server in place of the system's
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = parse_dns_server)]
    dns_server: Vec<SocketAddr>,
    /// Trusts the certificate authorities in this PEM file besides the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Vec<PathBuf>,
    /// Connects elsewhere than DNS says, as curl does: a new server before its record is changed; an empty HOST stands for every
    /// host, an empty ADDRESS for what DNS says, an empty TO for the same port
    #[arg(long, value_name = "HOST:PORT:ADDRESS:TO", value_parser = parse_connect_to)]
    connect_to: Vec<ConnectTo>,
}

impl NetworkArgs {
    /// Whether the command line says anything of the network.
    pub(super) fn is_any(&self) -> bool {
        !(self.allow_network.is_empty() && self.dns_server.is_empty() && self.ca_file.is_empty() && self.connect_to.is_empty())
    }

    /// The settings with what the command line adds.
    pub(super) fn apply(&self, mut settings: Settings) -> Settings {
        settings.allow_networks.extend(&self.allow_network);
        settings.ca_files.extend(self.ca_file.iter().cloned());
        settings.connect_to.splice(..0, self.connect_to.iter().cloned());
        if !self.dns_server.is_empty() {
            settings.dns_servers.clone_from(&self.dns_server);
        }
        settings
    }
}

fn parse_dns_server(text: &str) -> Result<SocketAddr, String> {
    let bare = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(bare).ok_or_else(|| "write ADDRESS or ADDRESS:PORT, such as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

fn parse_connect_to(text: &str) -> Result<ConnectTo, String> {
    let wrong = || {
        "write HOST:PORT:ADDRESS:TO, such as autoconfig.contoso.com:443:192.0.2.7:8443 (or ::ADDRESS: with brackets for IPv6)".to_owned()
    };
    let (host, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (port, rest) = rest.split_once(':').ok_or_else(wrong)?;
    let (address, to) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let to_address = if address.is_empty() { None } else { Some(address.parse::<IpAddr>().map_err(|_| wrong())?) };
    let to_port = if to.is_empty() { None } else { Some(to.parse::<u16>().map_err(|_| wrong())?) };
    Ok(ConnectTo { host: (!host.is_empty()).then(|| host.to_lowercase()), port: port.parse().map_err(|_| wrong())?, to_address, to_port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_to_is_read_as_curl_reads_it() {
        let detour = |host: Option<&str>, to: Option<&str>, to_port| ConnectTo {
            host: host.map(str::to_owned),
            port: 443,
            to_address: to.map(|to| to.parse().unwrap()),
            to_port,
        };
        for (text, expected) in [
            ("autoconfig.contoso.com:443:192.0.2.7:8443", detour(Some("autoconfig.contoso.com"), Some("192.0.2.7"), Some(8443))),
            (":443::8443", detour(None, None, Some(8443))),
            (":443:[2001:db8::7]:", detour(None, Some("2001:db8::7"), None)),
        ] {
            assert_eq!(parse_connect_to(text), Ok(expected), "{text}");
        }
        for text in ["", "contoso.com", "contoso.com:443", "contoso.com:https:192.0.2.7:1", "contoso.com:443:elsewhere:1"] {
            assert!(parse_connect_to(text).is_err(), "{text}");
        }
    }
}
