//! What Microsoft's own discovery services say: Autodiscover v2, AutoDetect, the mobilesync schema, the capability headers
//! (`microsoft.md` sections 1.6, 2.1, 3 and 4). Texts are trimmed and otherwise as written.

use serde::Deserialize;

use super::{
    answer::AnswerOutcome,
    cloud_host::{exchange_cloud, sign_in_cloud},
    hosting::{Cloud, Hosting},
};

/// A protocol that Autodiscover v2 is asked about. It knows neither IMAP nor POP nor SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum V2Protocol {
    /// Exchange `ActiveSync`.
    ActiveSync,
    /// Where the XML Autodiscover is.
    AutodiscoverV1,
    /// Exchange Web Services.
    Ews,
    /// The REST interface.
    Rest,
}

impl V2Protocol {
    /// As the server writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActiveSync => "ActiveSync",
            Self::AutodiscoverV1 => "AutodiscoverV1",
            Self::Ews => "Ews",
            Self::Rest => "Rest",
        }
    }
}

/// What Autodiscover v2 says about one address. An endpoint does not prove that the mailbox exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AutodiscoverV2 {
    /// A URL for the protocol.
    Endpoint(V2Endpoint),
    /// Another host is to be asked: an organisation's own, or another cloud.
    Redirect {
        /// An `https` URL.
        url: String,
        /// Its host, lower case.
        host: String,
    },
    /// An error.
    Refused(V2Refusal),
}

/// Where a protocol is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Endpoint {
    /// `Protocol`, as answered.
    pub protocol: Option<String>,
    /// `Url`; `https`.
    pub url: String,
    /// Its host, lower case.
    pub host: String,
    /// `ServerLocation`.
    pub server_location: Option<String>,
    /// The Microsoft cloud that the host belongs to; `None` for every other host.
    pub cloud: Option<Cloud>,
}

/// An error of Autodiscover v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Refusal {
    /// The HTTP status; 200 is seen too.
    pub status: u16,
    /// `ErrorCode`.
    pub code: V2Code,
    /// `ErrorMessage`, at most 500 characters.
    pub message: String,
}

/// The `ErrorCode` of Autodiscover v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum V2Code {
    /// The server does not know the protocol.
    ProtocolNotSupported,
    /// The same, from other builds.
    InvalidProtocol,
    /// The request named no protocol.
    MissingProtocol,
    /// The request lacked something else.
    MandatoryParameterMissing,
    /// No such mailbox.
    UserNotFound,
    /// Another, as written, at most 100 characters.
    Other(String),
}

impl V2Refusal {
    /// What it comes to: most errors are about the request and say nothing about the mailbox.
    #[must_use]
    pub fn outcome(&self) -> AnswerOutcome {
        match (&self.code, self.status) {
            (V2Code::UserNotFound, _) | (V2Code::Other(_), 404 | 410) => AnswerOutcome::Absent,
            (V2Code::Other(_), 429 | 500..) => AnswerOutcome::Failed,
            _ => AnswerOutcome::Invalid,
        }
    }
}

/// An answer of AutoDetect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AutoDetectAnswer {
    /// 200.
    Found(Box<AutoDetect>),
    /// 202: it is still searching and is to be asked again.
    Searching {
        /// What it has so far, where the answer has a body.
        so_far: Option<Box<AutoDetect>>,
        /// `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// 204, or empty lists: it knows nothing.
    Nothing(Box<AutoDetectEvidence>),
    /// 429 or 503.
    Unavailable {
        /// `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
}

/// What AutoDetect found. A suggestion, no authority: rows have been wrong for years (example.com, 2020 to 2026).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoDetect {
    /// The address that it answers about.
    pub email: Option<String>,
    /// `services`, in order.
    pub services: Vec<AutoDetectService>,
    /// `protocols`, in order.
    pub protocols: Vec<AutoDetectProtocol>,
    /// Why it says so.
    pub evidence: AutoDetectEvidence,
}

/// A row of `services`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoDetectService {
    /// Lower case: `office365` is Exchange Online, `outlook` the consumer service, then `google`, `icloud`, `yahoo`.
    pub service: Option<String>,
    /// Lower case: `rest`, `eas`, …
    pub protocol: Option<String>,
    /// Lower case.
    pub hostname: Option<String>,
    /// The sign-in authority.
    pub aad: Option<String>,
    /// `onprem`: whether the mailbox is on the organisation's own server.
    pub on_premises: Option<bool>,
    /// `onprem` where it is a URL or a host.
    pub on_premises_url: Option<String>,
}

/// A row of `protocols`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoDetectProtocol {
    /// Lower case: `imap`, `smtp`, `pop3`, `eas`, …
    pub protocol: Option<String>,
    /// Lower case.
    pub hostname: Option<String>,
    /// 1 to 65535.
    pub port: Option<u16>,
    /// Lower case: `ssl`, `starttls`, …
    pub encryption: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// `false`: from the provider database, never tried with this mailbox.
    pub validated: Option<bool>,
    /// Whether it takes credentials in clear.
    pub insecure: Option<bool>,
}

/// What the headers tell about the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AutoDetectEvidence {
    /// `X-Provider-Id`: the row of the provider database.
    pub provider_id: Option<String>,
    /// `X-AutoDv2-Error`: why Autodiscover v2 did not decide, such as `ENOTFOUND`.
    pub v2_error: Option<String>,
    /// `X-Request-Id`.
    pub request_id: Option<String>,
    /// The provider's row, out of `X-Debug-Support`.
    pub row: Option<ProviderRow>,
}

/// A row of AutoDetect's provider database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderRow {
    /// Its id.
    pub id: Option<String>,
    /// When it was written, as written.
    pub created_at: Option<String>,
    /// When it was last changed, as written.
    pub updated_at: Option<String>,
    /// Whether users' machines reported it.
    pub crowdsourced: Option<bool>,
    /// The order in which sources decide, as written.
    pub decision: Option<String>,
}

impl AutoDetect {
    /// Where the services say that the mailbox lives; `None` where they say nothing or contradict each other.
    #[must_use]
    pub fn hosting(&self) -> Option<Hosting> {
        let mut said = self.services.iter().filter_map(AutoDetectService::hosting);
        let first = said.next()?;
        said.all(|other| other == first).then_some(first)
    }
}

impl AutoDetectService {
    fn hosting(&self) -> Option<Hosting> {
        match self.service.as_deref()? {
            "office365" if self.on_premises == Some(true) => Some(Hosting::OnPremises),
            "office365" => {
                let by_host = self.hostname.as_deref().and_then(exchange_cloud);
                let authority = || self.aad.as_deref()?.split("://").nth(1)?.split('/').next().and_then(sign_in_cloud);
                Some(Hosting::ExchangeOnline(by_host.or_else(authority).unwrap_or_default()))
            }
            "outlook" => Some(Hosting::Consumer),
            _ => Some(Hosting::Other),
        }
    }
}

/// An Autodiscover answer in the mobilesync schema (MS-ASCMD section 2.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MobileSync {
    /// Whether a strict parser would read the same.
    pub strict: bool,
    /// `User/EMailAddress`.
    pub address: Option<String>,
    /// What is to be done.
    pub action: MobileSyncAction,
}

/// The `Action` of a mobilesync answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MobileSyncAction {
    /// `Settings`: every server, in order; one of them has a place.
    Settings(Vec<MobileSyncServer>),
    /// `Redirect`: start again with this address.
    Redirect(String),
    /// `Error`, of the action or of the framework.
    Error(MobileSyncError),
}

/// A `Server` of a mobilesync answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MobileSyncServer {
    /// `Type`, upper case: `MOBILESYNC`, `CERTENROLL`.
    pub kind: String,
    /// `Url`.
    pub url: Option<String>,
    /// `Name`, a URL in most answers.
    pub name: Option<String>,
    /// `ServerData`.
    pub data: Option<String>,
}

/// An `Error` of a mobilesync answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MobileSyncError {
    /// `ErrorCode` of the framework (600 to 603), as written.
    pub code: Option<String>,
    /// `Status` of the action (1 or 2), as written.
    pub status: Option<String>,
    /// `Message`, at most 500 characters.
    pub message: String,
    /// `DebugData`, at most 500 characters.
    pub debug: Option<String>,
}

impl MobileSync {
    /// Where `ActiveSync` is served: the first such server's `Url`, else its `Name`.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        let MobileSyncAction::Settings(servers) = &self.action else { return None };
        servers.iter().filter(|server| server.kind == "MOBILESYNC").find_map(|server| server.url.as_deref().or(server.name.as_deref()))
    }
}

impl MobileSyncError {
    /// What it comes to. An action's `Status` is about the server's directory (1) or the request (2), and says nothing about the
    /// mailbox; the framework's codes are those of MS-OXDSCLI.
    #[must_use]
    pub fn outcome(&self) -> AnswerOutcome {
        match (self.code.as_deref(), self.status.as_deref()) {
            (Some("603"), _) | (None, Some("1")) => AnswerOutcome::Failed,
            (Some("600" | "601"), _) | (None, Some("2")) => AnswerOutcome::Invalid,
            _ => AnswerOutcome::Absent,
        }
    }
}

/// What an Autodiscover endpoint says in its headers that it can do. `None`: it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// `X-SOAP-Enabled`.
    pub soap: Option<bool>,
    /// `X-WSSecurity-Enabled`.
    pub ws_security: Option<bool>,
    /// `X-WSSecurity-SymmetricKey-Enabled`.
    pub symmetric_key: Option<bool>,
    /// `X-WSSecurity-X509Cert-Enabled`.
    pub x509: Option<bool>,
    /// `X-OAuth-Enabled`.
    pub oauth: Option<bool>,
    /// `X-FederationTrustTokenIssuerUri`.
    pub token_issuer: Option<String>,
}

impl Capabilities {
    /// Whether the endpoint is an Exchange Autodiscover.
    #[must_use]
    pub fn is_exchange(&self) -> bool {
        *self != Self::default()
    }

    /// Whether the organisation behind it is joined to Microsoft's cloud: Exchange Online, or an own Exchange in hybrid use.
    #[must_use]
    pub fn is_microsoft_online(&self) -> bool {
        self.token_issuer.as_deref().is_some_and(|issuer| issuer.eq_ignore_ascii_case("urn:federation:MicrosoftOnline"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_the_request_says_nothing_about_the_mailbox() {
        let v2 = |status, code| V2Refusal { status, code, message: String::new() }.outcome();
        for (status, code, outcome) in [
            (404, V2Code::UserNotFound, AnswerOutcome::Absent),
            (200, V2Code::UserNotFound, AnswerOutcome::Absent),
            (400, V2Code::ProtocolNotSupported, AnswerOutcome::Invalid),
            (500, V2Code::InvalidProtocol, AnswerOutcome::Invalid),
            (400, V2Code::Other("X".into()), AnswerOutcome::Invalid),
            (404, V2Code::Other("X".into()), AnswerOutcome::Absent),
            (429, V2Code::Other("X".into()), AnswerOutcome::Failed),
            (503, V2Code::Other("X".into()), AnswerOutcome::Failed),
        ] {
            assert_eq!(v2(status, code.clone()), outcome, "{status} {code:?}");
        }
        let mobilesync = |code: Option<&str>, status: Option<&str>| {
            MobileSyncError { code: code.map(Into::into), status: status.map(Into::into), ..MobileSyncError::default() }.outcome()
        };
        for (code, status, outcome) in [
            (Some("500"), None, AnswerOutcome::Absent),
            (Some("600"), None, AnswerOutcome::Invalid),
            (Some("601"), None, AnswerOutcome::Invalid),
            (Some("602"), None, AnswerOutcome::Absent),
            (Some("603"), None, AnswerOutcome::Failed),
            (None, Some("1"), AnswerOutcome::Failed),
            (None, Some("2"), AnswerOutcome::Invalid),
            (None, None, AnswerOutcome::Absent),
        ] {
            assert_eq!(mobilesync(code, status), outcome, "{code:?} {status:?}");
        }
    }

    #[test]
    fn services_that_contradict_each_other_say_nothing() {
        let service = |service: &str| AutoDetectService { service: Some(service.into()), ..AutoDetectService::default() };
        let hosting = |services: Vec<AutoDetectService>| AutoDetect { services, ..AutoDetect::default() }.hosting();
        let own = AutoDetectService { on_premises: Some(true), ..service("office365") };
        let government = AutoDetectService { hostname: Some("outlook.office365.us".into()), ..service("office365") };
        let china =
            AutoDetectService { aad: Some("https://login.partner.microsoftonline.cn/common/oauth2".into()), ..service("office365") };
        for (services, expected) in [
            (vec![], None),
            (vec![service("office365")], Some(Hosting::ExchangeOnline(Cloud::Worldwide))),
            (vec![government], Some(Hosting::ExchangeOnline(Cloud::UsGovernment))),
            (vec![china], Some(Hosting::ExchangeOnline(Cloud::China))),
            (vec![own], Some(Hosting::OnPremises)),
            (vec![service("outlook"), service("outlook")], Some(Hosting::Consumer)),
            (vec![service("google")], Some(Hosting::Other)),
            (vec![service("office365"), service("outlook")], None),
            (vec![AutoDetectService::default()], None),
        ] {
            assert_eq!(hosting(services.clone()), expected, "{services:?}");
        }
    }
}
