//! Documents: what the tolerant parsers of `wire` make of an answer. Raw texts, in document order; each client's dialect
//! decides what of it that client would accept.

use super::{
    Answer, AnswerOutcome, AutoDetectAnswer, AutodiscoverV2, Capabilities, CredentialType, JmapSession, MobileSync, OpenIdAnswer, Pacc,
    PaccDigests, Realm, SoapAnswer,
};

/// An answer with what was read from it.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What came back.
    pub answer: std::sync::Arc<Answer>,
    /// What it comes to.
    pub outcome: AnswerOutcome,
    /// One line for a person: what was found, or why not.
    pub detail: String,
    /// What was read.
    pub document: Document,
}

/// What was read from a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// No body, or one that is not a document of the kind asked for; `Reading::detail` names the reason.
    Nothing,
    /// Well-formed XML of another kind, such as a strict web page.
    Other,
    /// The same is to be asked elsewhere: an HTTP redirect that was not followed, or a 451 with `X-MS-Location`.
    Elsewhere(String),
    /// `config-v1.1.xml`.
    Autoconfig(Box<Autoconfig>),
    /// What an Autodiscover endpoint that asks for credentials says of itself.
    Capabilities(Box<Capabilities>),
    /// An Autodiscover answer (MS-OXDSCLI section 2.2.4).
    Pox(Box<Pox>),
    /// An Autodiscover answer in the mobilesync schema.
    MobileSync(Box<MobileSync>),
    /// An answer of Autodiscover v2.
    AutodiscoverV2(Box<AutodiscoverV2>),
    /// An answer of Autodiscover's SOAP interface.
    UserSettings(Box<SoapAnswer>),
    /// An answer of AutoDetect.
    AutoDetect(Box<AutoDetectAnswer>),
    /// A PACC document.
    Pacc(Box<Pacc>),
    /// The digests that PACC's TXT records publish.
    PaccDigests(Box<PaccDigests>),
    /// A JMAP session.
    Jmap(Box<JmapSession>),
    /// A realm.
    Realm(Box<Realm>),
    /// `OpenID` metadata, or that there are none.
    OpenId(Box<OpenIdAnswer>),
    /// Where an account exists.
    CredentialType(Box<CredentialType>),
}

/// A `config-v1.1.xml` document (draft-ietf-mailmaint-autoconfig), first `emailProvider`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Autoconfig {
    /// Whether a strict parser would read the same: well-formed, and nothing that it needs in another spelling alone (with a prefix, in
    /// other letter case).
    pub strict: bool,
    /// `emailProvider@id`, trimmed; `None` where missing.
    pub provider_id: Option<String>,
    /// `displayName`.
    pub display_name: Option<String>,
    /// Every `domain`, trimmed.
    pub domains: Vec<String>,
    /// Every `incomingServer`, in order.
    pub incoming: Vec<AutoconfigServer>,
    /// Every `outgoingServer`, in order.
    pub outgoing: Vec<AutoconfigServer>,
}

/// An `incomingServer` or `outgoingServer`; texts are trimmed and otherwise as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoconfigServer {
    /// `@type`, such as `imap`.
    pub kind: String,
    /// `hostname`, first one.
    pub hostname: Option<String>,
    /// `url` (ews, owa, graph, activesync), or `server` in the ActiveSync form of Firefox OS.
    pub url: Option<String>,
    /// `port`, first one, as written.
    pub port: Option<String>,
    /// Every `socketType`, in order.
    pub socket_types: Vec<String>,
    /// Every `authentication`, in order.
    pub authentications: Vec<String>,
    /// `username`, first one; `None` where it is missing or empty.
    pub username: Option<String>,
    /// Whether there is a `username`, be it empty.
    pub has_username: bool,
    /// `ewsURL` (exchange).
    pub ews_url: Option<String>,
}

/// An Autodiscover answer in the Outlook schema, or a mobilesync one's parts that name servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pox {
    /// Whether a strict parser would read the same.
    pub strict: bool,
    /// `Account/Action`, lower case: `settings`, `redirecturl`, `redirectaddr`.
    pub action: Option<String>,
    /// `Account/RedirectUrl`.
    pub redirect_url: Option<String>,
    /// `Account/RedirectAddr`.
    pub redirect_address: Option<String>,
    /// `Error/ErrorCode` and `Error/Message`.
    pub error: Option<PoxError>,
    /// `Account/MicrosoftOnline`, where it is said.
    pub microsoft_online: Option<bool>,
    /// `User/AutoDiscoverSMTPAddress`.
    pub smtp_address: Option<String>,
    /// Every `Account/Protocol`, in order.
    pub protocols: Vec<PoxProtocol>,
}

/// An `Error` element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoxError {
    /// `ErrorCode`, as written.
    pub code: String,
    /// `Message`, at most 500 characters.
    pub message: String,
}

/// A `Protocol` element; texts are trimmed and otherwise as written, `None` where the element is missing or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoxProtocol {
    /// `Type`, child or attribute, upper case: `IMAP`, `POP3`, `SMTP`, `EXCH`, `EXPR`, `EXHTTP`, `WEB`, `MAPIHTTP`, `MOBILESYNC`, …
    pub kind: String,
    /// Whether a strict client sees that type: a child element, written in capitals.
    pub strict_kind: bool,
    /// `Server` (a host name, or a URL).
    pub server: Option<String>,
    /// `Port`.
    pub port: Option<String>,
    /// `LoginName`.
    pub login_name: Option<String>,
    /// `SSL`, lower case: `on`, `off`.
    pub ssl: Option<String>,
    /// `Encryption`, lower case: `none`, `ssl`, `tls`, `auto`.
    pub encryption: Option<String>,
    /// `SPA`, lower case.
    pub spa: Option<String>,
    /// `AuthPackage`, lower case.
    pub auth_package: Option<String>,
    /// `EwsUrl`.
    pub ews_url: Option<String>,
    /// `ASUrl`.
    pub as_url: Option<String>,
    /// `OWAUrl` of the `External` element, else of the `Internal` one.
    pub owa_url: Option<OwaUrl>,
    /// `Url` of a mobilesync server, or the `ExternalUrl` of a mapiHttp `MailStore`.
    pub url: Option<String>,
}

/// An `OWAUrl` element, the first of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwaUrl {
    /// Its text, trimmed.
    pub url: String,
    /// Whether it has an attribute, such as `AuthenticationMethod`.
    pub attributed: bool,
}
