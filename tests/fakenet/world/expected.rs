//! What must be found out, and how it differs from what was.

use super::WorldMailbox;
use autodiscover_audit::model::{Address, Cause, ClientOutcome, Protocol, Server, Verdict};

/// What one client must end with for one mailbox.
#[derive(Debug, Clone)]
pub struct Expected {
    pub address: Address,
    pub client: &'static str,
    pub verdict: Verdict,
    /// `None` where the verdict is `ok` and not fragile.
    pub cause: Option<Cause>,
    pub fragile: bool,
    pub inferred: bool,
    /// The servers in the client's order; those of EWS, OWA and Graph are left out.
    pub incoming: Vec<(Protocol, String)>,
    pub outgoing: Vec<(Protocol, String)>,
    /// Whether the servers are part of the expectation: what an endpoint behind credentials would say is open in part.
    pub has_servers: bool,
}

impl Expected {
    /// What a client should end with, for one mailbox.
    pub fn of(mailbox: &WorldMailbox, client: &'static str, should: Should) -> Self {
        let address = mailbox.address();
        let has_cause = should.verdict != Verdict::Ok || should.fragile;
        assert_eq!(should.cause.is_some(), has_cause, "{address}: a cause stands beside a finding, and nowhere else");
        let fill = |servers: &[(Protocol, &str)]| {
            servers.iter().map(|(protocol, host)| (*protocol, host.replace("{d}", address.domain().as_str()))).collect()
        };
        let (incoming, outgoing) = should.servers.unwrap_or_default();
        Self {
            incoming: fill(incoming),
            outgoing: fill(outgoing),
            client,
            verdict: should.verdict,
            cause: should.cause,
            fragile: should.fragile,
            inferred: should.inferred,
            has_servers: should.servers.is_some(),
            address,
        }
    }

    /// A line for each difference; empty where the outcome is as expected.
    pub fn differences(&self, outcome: &ClientOutcome) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |what: &str, expected: String, found: String| {
            if expected != found {
                lines.push(format!("{} {}: {what} is {found}, not {expected}", self.address, self.client));
            }
        };
        compare("the client", self.client.to_owned(), outcome.client.clone());
        compare("the verdict", self.verdict.to_string(), outcome.verdict.to_string());
        compare("the cause", format!("{:?}", self.cause), format!("{:?}", outcome.cause));
        compare("fragile", self.fragile.to_string(), outcome.fragile.to_string());
        compare("inferred", self.inferred.to_string(), outcome.inferred.to_string());
        if self.has_servers {
            compare("incoming", format!("{:?}", self.incoming), format!("{:?}", self.comparable(&outcome.settings.incoming)));
            compare("outgoing", format!("{:?}", self.outgoing), format!("{:?}", self.comparable(&outcome.settings.outgoing)));
        }
        lines
    }

    fn comparable(&self, servers: &[Server]) -> Vec<(Protocol, String)> {
        let compared = [Protocol::Imap, Protocol::Pop3, Protocol::Exchange, Protocol::ActiveSync, Protocol::Jmap, Protocol::Smtp];
        let servers = servers.iter().filter(|server| compared.contains(&server.protocol));
        servers.map(|server| (server.protocol, server.expand(&self.address).host)).collect()
    }
}

/// What must stand in the way of one lookup for a mailbox.
#[derive(Debug, Clone)]
pub struct ExpectedObstacle {
    pub address: Address,
    /// How the text of the lookup begins: a URL, or `MX contoso.com`.
    pub asked: String,
    /// `Obstacle::name`.
    pub obstacle: &'static str,
}

/// What a client should end with, before it is said for whom.
#[derive(Debug, Clone, Copy)]
pub struct Should {
    pub verdict: Verdict,
    pub cause: Option<Cause>,
    pub fragile: bool,
    pub inferred: bool,
    pub servers: Option<Servers>,
}

/// Incoming and outgoing servers; `{d}` stands for the mail domain.
pub type Servers = (&'static [(Protocol, &'static str)], &'static [(Protocol, &'static str)]);

/// The right servers.
pub const fn ok(servers: Servers) -> Should {
    Should { verdict: Verdict::Ok, cause: None, fragile: false, inferred: false, servers: Some(servers) }
}

/// A finding.
pub const fn bad(verdict: Verdict, cause: Cause, servers: Servers) -> Should {
    Should { verdict, cause: Some(cause), fragile: false, inferred: false, servers: Some(servers) }
}

/// The consumer service.
pub const fn consumer(cause: Cause, servers: Servers) -> Should {
    bad(Verdict::Consumer, cause, servers)
}

/// A stranger.
pub const fn foreign(cause: Cause, servers: Servers) -> Should {
    bad(Verdict::Foreign, cause, servers)
}

/// Nothing is found.
pub const fn nothing(cause: Cause) -> Should {
    bad(Verdict::NotFound, cause, NONE)
}

/// A lookup that could have won failed.
pub const fn unsure(servers: Servers) -> Should {
    bad(Verdict::Undetermined, Cause::LookupFailed, servers)
}

impl Should {
    /// Right, but what comes next is not.
    pub const fn fragile(self, cause: Cause) -> Self {
        Self { fragile: true, cause: Some(cause), ..self }
    }

    pub const fn inferred(self) -> Self {
        Self { inferred: true, ..self }
    }

    /// Leaves the servers open.
    pub const fn servers_open(self) -> Self {
        Self { servers: None, ..self }
    }
}

use Protocol::{ActiveSync, Exchange, Imap, Pop3, Smtp};

pub const NONE: Servers = (&[], &[]);
/// What an own document of the standard shape says.
pub const EXO: Servers = (&[(Imap, O365), (Pop3, O365)], &[(Smtp, "smtp.office365.com")]);
/// The same to those that take IMAP and SMTP alone.
pub const EXO_PAIR: Servers = (&[(Imap, O365)], &[(Smtp, "smtp.office365.com")]);
/// The database's entry `office365.com`, as Thunderbird reads it.
pub const EXO_ENTRY: Servers = (&[(Imap, O365), (Pop3, O365), (Exchange, O365)], &[(Smtp, "smtp.office365.com")]);
/// An Exchange Online endpoint of Autodiscover.
pub const EXCHANGE: Servers = (&[(Exchange, O365)], &[]);
/// The same of the American government's cloud.
pub const EXCHANGE_US: Servers = (&[(Exchange, "outlook.office365.us")], &[]);
/// A phone at Exchange Online, in the government's cloud, at the consumer service.
pub const PHONE: Servers = (&[(ActiveSync, O365)], &[]);
pub const PHONE_US: Servers = (&[(ActiveSync, "outlook.office365.us")], &[]);
pub const PHONE_LIVE: Servers = (&[(ActiveSync, "eas.outlook.com")], &[]);
/// New Outlook at the consumer service.
pub const WEB_LIVE: Servers = (&[(Exchange, "outlook.live.com")], &[]);
/// The database's entry `hotmail.com` since 2025-07-28.
pub const HOTMAIL: Servers = (&[(Imap, O365), (Pop3, O365)], &[(Smtp, "smtp-mail.outlook.com")]);
pub const HOTMAIL_PAIR: Servers = (&[(Imap, O365)], &[(Smtp, "smtp-mail.outlook.com")]);
/// The same from 2013-09-16 to 2019-06-12.
pub const HOTMAIL_2014: Servers = (&[(Imap, "imap-mail.outlook.com"), (Pop3, "pop-mail.outlook.com")], &[(Smtp, "smtp-mail.outlook.com")]);
pub const HOTMAIL_2014_PAIR: Servers = (&[(Imap, "imap-mail.outlook.com")], &[(Smtp, "smtp-mail.outlook.com")]);
/// What AOSP's Email has for the consumer service.
pub const AOSP_HOTMAIL: Servers = (&[(ActiveSync, "m.hotmail.com"), (Imap, "imap-mail.outlook.com")], &[(Smtp, "smtp-mail.outlook.com")]);
pub const HOSTER: Servers = (&[(Imap, "imap.hoster.example"), (Pop3, "pop.hoster.example")], &[(Smtp, "smtp.hoster.example")]);
/// The same to those that take IMAP and SMTP alone, and what the hoster's Autodiscover says.
pub const HOSTER_PAIR: Servers = (&[(Imap, "imap.hoster.example")], &[(Smtp, "smtp.hoster.example")]);
const O365: &str = "outlook.office365.com";
