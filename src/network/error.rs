//! Why the network could not be set up. What remote hosts do wrong is in the answers.

use std::path::PathBuf;

use crate::model::LookupKind;

/// Why the network could not be set up. What remote hosts do wrong is in the answers.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A setting is out of its range.
    #[error("`network.{setting}` is {value}; set it to {least} to {most}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// The pace of a kind of lookup is out of its range.
    #[error("`lookups.{lookup}.{setting}` is {value}; set it to 0 to {most}")]
    PaceOutOfRange {
        /// The kind.
        lookup: LookupKind,
        /// The setting's name.
        setting: &'static str,
        /// What it is.
        value: String,
        /// The most that is allowed.
        most: u64,
    },
    /// A detour is for another port than those that are connected to.
    #[error(
        "`network.connect_to` has port {port}; only 80, 443 and the mail ports 25, 110, 143, 465, 587, 993 and 995 can be led elsewhere"
    )]
    ConnectToPort {
        /// The port.
        port: u16,
    },
    /// Behind a proxy, names are resolved there.
    #[error("`{name}` cannot be taken for an alias: behind a proxy, the proxy resolves names")]
    AliasBehindProxy {
        /// The name.
        name: String,
    },
    /// The contact cannot be sent in a header.
    #[error("`network.contact` is `{contact}`; use a URL or a mail address without control characters")]
    Contact {
        /// What it is.
        contact: String,
    },
    /// A CA file cannot be read.
    #[error("the CA file `{}` cannot be read; correct `network.ca_files` or the file's permissions", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A CA file holds no certificates that can be used.
    #[error("the CA file `{}` holds no certificate, or a broken one; it must be PEM (`-----BEGIN CERTIFICATE-----`)", path.display())]
    CaFormat {
        /// The file.
        path: PathBuf,
    },
    /// The system names no DNS server.
    #[error("no DNS server is known to the system; name one in `network.dns_servers`")]
    SystemDns {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// TLS has nobody to trust, such as on a system without any certificate authority.
    #[error("TLS cannot be set up; install the system's CA certificates, or name some in `network.ca_files`")]
    Tls {
        /// Why.
        source: rustls::Error,
    },
    /// The HTTP client refused its settings.
    #[error("the HTTP client cannot be set up")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
}
