//! Discoveries: what a client ends with under given answers, and what stood in its way.

use std::collections::HashMap;

use super::{Address, Lookup, Protocol, Reading, Request, Settings, registrable};

/// Whom a discovery is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The mailbox that is asked about, at its own domain's hosts.
    pub address: Address,
}

impl Subject {
    /// The address to name to a host: the mailbox's own at hosts of its registrable domain, `postmaster` at strangers. Below a
    /// public suffix with mailboxes of its own (`gov.scot`), anybody may have registered `autoconfig`.
    #[must_use]
    pub fn address_for(&self, host: &str) -> Address {
        let domain = self.address.domain();
        if registrable(host).is_some() && registrable(host) == registrable(domain.as_str()) {
            self.address.clone()
        } else {
            Address::postmaster(domain)
        }
    }

    /// The address to name to an Autodiscover endpoint: Microsoft's may learn the mailbox's own as well, as they are what the
    /// domain leads its clients to (Thunderbird's `kSafeDomains`, bug 1606610).
    #[must_use]
    pub fn address_for_autodiscover(&self, host: &str) -> Address {
        if registrable(host).is_some_and(|domain| MICROSOFT.contains(&domain)) { self.address.clone() } else { self.address_for(host) }
    }
}

/// Domains that Thunderbird follows an Autodiscover redirect to without asking the user.
const MICROSOFT: [&str; 2] = ["outlook.com", "office365.com"];

/// The answers of a domain, read. A missing one has not been asked yet.
#[derive(Debug, Clone, Default)]
pub struct Readings(HashMap<Request, Reading>);

impl Readings {
    /// The reading of a request, where it has been asked.
    #[must_use]
    pub fn get(&self, request: &Request) -> Option<&Reading> {
        self.0.get(request)
    }

    /// Adds an answer.
    pub fn insert(&mut self, request: Request, reading: Reading) {
        self.0.insert(request, reading);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is assumed beyond the answers: how to ask "and what if not?".
#[derive(Debug, Clone, Copy, Default)]
pub struct Assumption<'a> {
    /// These requests came to nothing, in passing.
    pub lost: &'a [Request],
    /// Which of the MX that the client can take it takes, from 0.
    pub mx: usize,
}

/// What a client ends with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovery {
    /// What won; `None` where the client finds nothing.
    pub win: Option<Win>,
    /// Lookups that failed and could have won.
    pub doubts: Vec<Trouble>,
    /// Lookups that answered with something that this client cannot use, before the winner.
    pub faults: Vec<Trouble>,
    /// All lookups that this client makes, in its order.
    pub lookups: Vec<Lookup>,
    /// Those of them that are known and were passed over, as the client had made up its mind before.
    pub idle: Vec<Request>,
    /// The lookup after which the client looks for no more documents, though it had found none.
    pub stopped_at: Option<Request>,
    /// How many MX there are that the client can take, where it looks at the MX: those of the best preference, or all.
    pub equal_mx: usize,
    /// What the client would send and read mail by, where it finds nothing.
    pub seeks: Vec<Protocol>,
}

impl Discovery {
    /// What its user is left with where the client finds nothing.
    #[must_use]
    pub fn left_to_user(&self) -> &'static str {
        let can_type = self.seeks.is_empty() || self.seeks.iter().any(|protocol| protocol.is_typed());
        if can_type { "the user must type the settings" } else { "the client sets up no account, and has no place to type servers" }
    }
}

/// A lookup that did not help, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What was asked.
    pub lookup: Lookup,
    /// Why it did not help, a line.
    pub why: String,
}

/// The lookup that won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Win {
    /// What was asked.
    pub lookup: Lookup,
    /// The requests that together gave the settings.
    pub requests: Vec<Request>,
    /// The way to it.
    pub way: Way,
    /// What the client would configure.
    pub settings: Settings,
    /// `emailProvider@id` of the document, where it is one.
    pub provider_id: Option<String>,
    /// What another lookup adds to what this one found.
    pub beside: Option<Box<Win>>,
    /// What answers only with credentials: the settings are empty and have to be inferred from it.
    pub guarded: Option<Guarded>,
}

/// A host that tells a client its settings only after sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// Its name.
    pub host: String,
    /// What a client that signs in would be given.
    pub protocol: Protocol,
    /// It says of itself that its organisation is joined to Microsoft's cloud.
    pub joined: bool,
}

/// The way by which a client came to its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The domain's own document.
    Own {
        /// Under `/.well-known/`.
        well_known: bool,
    },
    /// The ISP database's entry for the domain.
    Database,
    /// What the MX was reduced to.
    Mx {
        /// The MX host.
        host: String,
        /// The name that it was reduced to.
        key: String,
        /// The client tried a longer name before, in vain.
        after_parent: bool,
        /// The ISP database answered; otherwise an autoconfig.
        database: bool,
    },
    /// SRV records of the mail services.
    Srv,
    /// Autodiscover.
    Autodiscover {
        /// By the `_autodiscover._tcp` record.
        by_srv: bool,
        /// After a `redirectUrl` or `redirectAddr`.
        redirected: bool,
    },
    /// The client's own table of providers.
    BuiltIn {
        /// The row.
        row: String,
        /// The MX host that it matched; `None`: the domain.
        mx: Option<String>,
    },
    /// A document whose `emailProvider@id` leads to servers that the client has built in.
    ProviderId,
    /// Hosts that the client guesses.
    Guess,
    /// AutoDetect.
    AutoDetect {
        /// The servers are of its database, and were never tried with this mailbox.
        unverified: bool,
    },
    /// A PACC document.
    Pacc,
    /// A JMAP session.
    Jmap,
}

/// A discovery with what it still needs to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// What has to be asked before the discovery is whole; empty: it is.
    pub missing: Vec<Lookup>,
    /// What came of it.
    pub discovery: Discovery,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_a_public_suffix_everybody_is_a_stranger() {
        for (mailbox, host, told) in [
            ("anna@contoso.com", "autoconfig.contoso.com", "anna@contoso.com"),
            ("anna@contoso.com", "mx.example.com", "postmaster@contoso.com"),
            ("anna@gov.scot", "autoconfig.gov.scot", "postmaster@gov.scot"),
            ("anna@gov.scot", "gov.scot", "postmaster@gov.scot"),
            ("anna@gov.scot", "autoconfig.registrant.gov.scot", "postmaster@gov.scot"),
            ("anna@gov.scot", "gov.in", "postmaster@gov.scot"),
        ] {
            let subject = Subject { address: mailbox.parse().unwrap() };
            assert_eq!(subject.address_for(host).to_string(), told, "{mailbox} {host}");
        }
        let subject = Subject { address: "anna@gov.scot".parse().unwrap() };
        assert_eq!(subject.address_for_autodiscover("outlook.office365.com"), subject.address);
    }
}
