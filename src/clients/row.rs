//! A row of `config/clients.toml`: one mail client, as far as data can say it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{built_in::Provider, offer::Offer, reduction::Reduction, template::Template};
use crate::model::{Intake, LookupKind, MxRecord, Protocol, Publication, V2Protocol};

/// A mail client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name on the command line and in reports.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Which versions the row stands for.
    pub versions: String,
    /// Its parser.
    pub dialect: Dialect,
    /// Who is told about it.
    pub standing: Standing,
    /// Where the row's claims come from.
    pub sources: Vec<String>,
    /// Domains at whose hosts it can sign in with `OAuth2`; empty: anywhere.
    #[serde(default)]
    pub oauth_hosts: Vec<String>,
    /// The names that it reduces the MX to; absent: it does not look at the MX.
    #[serde(default)]
    pub mx: Option<Reduction>,
    /// In which order names and steps of the MX go.
    #[serde(default)]
    pub mx_order: MxOrder,
    /// It takes whichever MX the resolver lists first, whatever the preferences.
    #[serde(default)]
    pub mx_any_preference: bool,
    /// What its user sends and reads mail by: what a mailbox lacks where the client finds nothing.
    #[serde(default = "mail_protocols")]
    pub protocols: Vec<Protocol>,
    /// Its lookups, the most important first.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

fn mail_protocols() -> Vec<Protocol> {
    vec![Protocol::Imap, Protocol::Pop3, Protocol::Smtp]
}

/// Who is told about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A tenant that names no clients audits it; for others it is at risk.
    Audited,
    /// Looked at for every tenant, and reported apart where the tenant does not name it.
    AtRisk,
    /// Looked at only where it is named.
    OnRequest,
}

/// A client's parsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Thunderbird's `readFromXML` since 150.
    Thunderbird,
    /// Thunderbird's `readFromXML` up to 124.
    #[serde(rename = "thunderbird-115")]
    Thunderbird115,
    /// Takes whatever names a server.
    Tolerant,
    /// Evolution's, with the plug-in for Exchange Web Services.
    Evolution,
    /// `KMail`'s account wizard.
    Kmail,
    /// GNOME Online Accounts'.
    GnomeOnlineAccounts,
    /// Thunderbird for Android's.
    ThunderbirdAndroid,
    /// Geary's: the id of a document can decide.
    Geary,
    /// Nextcloud Mail's.
    NextcloudMail,
    /// Delta Chat's.
    DeltaChat,
    /// Classic Outlook's.
    Outlook,
    /// `FairEmail`'s: what is found is scored.
    Fairemail,
    /// `SnappyMail`'s.
    Snappymail,
    /// Mailspring's.
    Mailspring,
}

impl Dialect {
    /// Whether it is one of Thunderbird for the desktop.
    pub(super) fn is_thunderbird(self) -> bool {
        matches!(self, Self::Thunderbird | Self::Thunderbird115)
    }
}

/// In which order names and steps of the MX go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MxOrder {
    /// Neighbouring steps together: all of them for one name, then all for the next.
    #[default]
    NameByName,
    /// A step for all names, then the next step.
    StepByStep,
}

/// One source that a client asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The part that it plays.
    pub lookup: LookupKind,
    /// Where the step's claims come from.
    pub source: String,
    /// URLs, tried in order.
    #[serde(default)]
    pub urls: Vec<Template>,
    /// Ways of Autodiscover, tried in order.
    #[serde(default)]
    pub ways: Vec<Way>,
    /// What Autodiscover v2 is asked about.
    #[serde(default)]
    pub protocol: Option<V2Protocol>,
    /// Hosts of Autodiscover v2, tried in order; empty: `outlook.office365.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How Autodiscover is asked.
    #[serde(default)]
    pub method: Method,
    /// Redirects inside Autodiscover answers that are followed: the first of these that an answer has.
    #[serde(default)]
    pub follow: Vec<Redirect>,
    /// How many of them are followed in one search.
    #[serde(default)]
    pub most_redirects: u8,
    /// What follows an HTTP success that the client cannot use.
    #[serde(default)]
    pub on_unusable: Onward,
    /// What follows where there is no HTTP success.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// It adds to what an earlier step found what that lacks, and does not end with a search for documents.
    #[serde(default)]
    pub beside: bool,
    /// It is gone to only where everything before it found nothing.
    #[serde(default)]
    pub last_resort: bool,
    /// Rows of the client's own table of providers, in its order.
    #[serde(default, rename = "row")]
    pub rows: Vec<Provider>,
    /// Rows are for any MX, and not only for one of the best preference.
    #[serde(default)]
    pub any_mx: bool,
    /// Guesses where mail is read, in the client's order of preference.
    #[serde(default)]
    pub incoming: Vec<Offer>,
    /// Guesses where mail is submitted, in the client's order of preference.
    #[serde(default)]
    pub outgoing: Vec<Offer>,
    /// What makes a guess good.
    #[serde(default)]
    pub needs: Needs,
    /// Mail services whose SRV records are looked up, in order; empty: all.
    #[serde(default)]
    pub services: Vec<MailService>,
}

/// A mail service that SRV records announce (RFC 6186, RFC 8314 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum MailService {
    /// IMAP over TLS.
    #[serde(rename = "_imaps")]
    Imaps,
    /// IMAP.
    #[serde(rename = "_imap")]
    Imap,
    /// POP3 over TLS.
    #[serde(rename = "_pop3s")]
    Pop3s,
    /// POP3.
    #[serde(rename = "_pop3")]
    Pop3,
    /// Submission over TLS.
    #[serde(rename = "_submissions")]
    Submissions,
    /// Submission.
    #[serde(rename = "_submission")]
    Submission,
}

/// What makes a guess good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// A mail server's greeting, under a certificate that is good.
    #[default]
    Greeting,
    /// The same, while on a port for STARTTLS its offer is enough: TLS is not begun there, and no certificate is looked at.
    StartTlsOffer,
    /// A port that takes connections, whatever it says.
    OpenPort,
}

/// How a search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Onward {
    /// With the step's next URL or way.
    #[default]
    NextUrl,
    /// With the next step.
    NextStep,
    /// No further: documents are not looked for any more.
    Stop,
}

/// How a search for documents goes on after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// With the step's next URL.
    #[default]
    NextUrl,
    /// With the step's next URL after a 404; otherwise no further.
    #[serde(rename = "stop-unless-404")]
    StopUnlessNotFound,
}

/// A way to an Autodiscover endpoint (MS-OXDISCO section 3.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// `https://autodiscover.DOMAIN/autodiscover/autodiscover.xml`.
    AutodiscoverHost,
    /// `https://DOMAIN/autodiscover/autodiscover.xml`.
    RootHost,
    /// `http://autodiscover.DOMAIN/…`: where it redirects to, or what it answers itself.
    Http,
    /// `http://autodiscover.DOMAIN/…`: where it redirects to, over https.
    HttpRedirect,
    /// `http://autodiscover.DOMAIN/…`, by a request in clear.
    HttpPost,
    /// `_autodiscover._tcp.DOMAIN`, the record of the lowest weight (Thunderbird 142, bug 1976254).
    SrvLowestWeight,
    /// `_autodiscover._tcp.DOMAIN`, the record of the best priority on port 443 (RFC 2782; the heaviest of equals).
    Srv,
    /// The same, whatever the port: port 443 is asked (Outlook, by `doc/autodiscover.7` of gromox).
    SrvAnyPort,
    /// The same, the record of each priority on port 443 in turn; of equals the last one (`SnappyMail`).
    SrvInTurn,
}

impl Way {
    /// Whether it needs `_autodiscover._tcp.DOMAIN`.
    pub(super) fn is_by_srv(self) -> bool {
        matches!(self, Self::SrvLowestWeight | Self::Srv | Self::SrvAnyPort | Self::SrvInTurn)
    }
}

/// How Autodiscover is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By a request that names the mailbox, with credentials where they are asked for (MS-OXDSCLI section 2.2.3).
    #[default]
    Post,
    /// By the same request, with a password alone where credentials are asked for: Exchange Online takes none.
    PostWithPassword,
    /// By the same request, without credentials.
    PostWithoutCredentials,
    /// As a web page, without a word on the mailbox and without credentials.
    Get,
}

/// A redirect inside an Autodiscover answer (MS-OXDSCLI section 2.2.4.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    /// `RedirectUrl`: the same is asked there.
    Url,
    /// `RedirectAddr`: the search begins again with that address.
    Address,
}

impl Client {
    /// The kinds of lookups that its way can need, those that its steps bring along included. Guesses are none of them: one that cannot
    /// be made is a doubt by itself, and only where everything else found nothing.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<LookupKind> {
        let of_steps = self.steps.iter().map(|step| step.lookup).filter(|kind| *kind != LookupKind::Guess);
        let of_mx = self.needs_mx().then_some(LookupKind::Mx);
        let by_srv = self.steps.iter().flat_map(|step| &step.ways).any(|way| way.is_by_srv());
        let is_direct = self.steps.iter().any(|step| step.protocol == Some(V2Protocol::AutodiscoverV1));
        let more = [of_mx, by_srv.then_some(LookupKind::AutodiscoverSrv), is_direct.then_some(LookupKind::AutodiscoverPox)];
        of_steps.chain(more.into_iter().flatten()).collect()
    }

    /// What it takes from what the administrator of a domain publishes.
    pub(super) fn intake(&self) -> Intake {
        let publication = |step: &Step| match step.lookup {
            LookupKind::OwnAutoconfig => Some(Publication::Autoconfig),
            LookupKind::Srv => Some(Publication::MailSrv),
            LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync | LookupKind::Autodetect => Some(Publication::Autodiscover),
            LookupKind::Pacc => Some(Publication::Pacc),
            LookupKind::Jmap => Some(Publication::Jmap),
            _ => None,
        };
        let of_domain = self.steps.iter().position(|step| step.lookup == LookupKind::OwnAutoconfig);
        let of_others = self.steps.iter().position(|step| step.is_database() || step.is_of_mx());
        Intake {
            reads: self.steps.iter().filter_map(publication).collect(),
            heeds_domain_first: self.dialect != Dialect::Fairemail && (of_others.is_none() || of_domain.is_some() && of_domain < of_others),
            protocols: self.protocols.clone(),
        }
    }

    /// The MX hosts of which it takes one, as the resolver lists them: those of the best preference, unless it does not look at that.
    #[must_use]
    pub fn eligible_mx<'a>(&self, records: &'a [MxRecord]) -> Vec<&'a str> {
        let best = records.iter().map(|record| record.preference).min();
        let is_eligible = |record: &&MxRecord| self.mx_any_preference || Some(record.preference) == best;
        records.iter().filter(is_eligible).map(|record| record.exchange.as_str()).collect()
    }

    /// Whether it looks at the MX, reduced or not.
    pub(super) fn needs_mx(&self) -> bool {
        self.mx.is_some() || self.steps.iter().any(Step::needs_mx_host)
    }
}

impl Step {
    /// Whether it is about what the MX is reduced to.
    pub(super) fn is_of_mx(&self) -> bool {
        matches!(self.lookup, LookupKind::MxAutoconfig | LookupKind::MxIspdb)
    }

    /// Whether it needs the MX host, reduced or not.
    pub(super) fn needs_mx_host(&self) -> bool {
        let guesses = self.incoming.iter().chain(&self.outgoing);
        self.rows.iter().any(Provider::is_by_mx) || guesses.into_iter().any(Offer::needs_mx)
    }

    /// Whether it asks a database of providers.
    pub(super) fn is_database(&self) -> bool {
        matches!(self.lookup, LookupKind::Ispdb | LookupKind::MxIspdb)
    }
}
