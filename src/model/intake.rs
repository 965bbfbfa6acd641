//! What a mail client takes from what the administrator of a domain publishes: which advice can help it.

use std::collections::BTreeSet;

use super::Protocol;

/// What the administrator of a domain can publish for mail clients; the one that says most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Publication {
    /// A document config-v1.1.xml at the domain's own hosts.
    Autoconfig,
    /// SRV records of the mail services (RFC 6186).
    MailSrv,
    /// A host or SRV record for Autodiscover.
    Autodiscover,
    /// A document of PACC.
    Pacc,
    /// An SRV record or document for JMAP.
    Jmap,
}

/// What of it a mail client reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// What it reads.
    pub reads: BTreeSet<Publication>,
    /// What the domain itself says of autoconfig comes before what databases and the MX lead to.
    pub heeds_domain_first: bool,
    /// What its user sends and reads mail by.
    pub protocols: Vec<Protocol>,
}

impl Default for Intake {
    /// Of a client that nobody knows any more.
    fn default() -> Self {
        Self {
            reads: [Publication::Autoconfig, Publication::MailSrv, Publication::Autodiscover].into(),
            heeds_domain_first: true,
            protocols: vec![Protocol::Imap, Protocol::Pop3, Protocol::Smtp],
        }
    }
}
