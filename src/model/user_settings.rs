//! What Autodiscover's SOAP interface says (MS-OXWSADISC): the answer to `GetUserSettings`.

/// An answer of the SOAP interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoapAnswer {
    /// An answer to `GetUserSettings`.
    Settings(UserSettings),
    /// A SOAP fault: the request did not get as far as the operation.
    Fault(SoapFault),
}

/// A SOAP fault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoapFault {
    /// `faultcode`, or `Code/Value` of SOAP 1.2, without its prefix.
    pub code: String,
    /// `faultstring`, or `Reason/Text`, at most 500 characters.
    pub reason: String,
    /// `ResponseCode` in the detail, such as `ErrorServerBusy`.
    pub response_code: Option<String>,
    /// `BackOffMilliseconds` in the detail.
    pub back_off_ms: Option<u32>,
}

/// The answer to one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSettings {
    /// `ServerVersionInfo/Version`.
    pub server_version: Option<String>,
    /// The error code of the whole request.
    pub code: SoapCode,
    /// Its message, at most 500 characters.
    pub message: String,
    /// One entry an address, in the order of the request. `None`: not answered, to be asked again.
    pub users: Vec<Option<UserAnswer>>,
}

/// What is said about one address. It does not name the address: only its place tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserAnswer {
    /// `ErrorCode`.
    pub code: SoapCode,
    /// `ErrorMessage`, at most 500 characters.
    pub message: String,
    /// `RedirectTarget`: an address with [`SoapCode::RedirectAddress`], a URL with [`SoapCode::RedirectUrl`].
    pub redirect: Option<String>,
    /// `UserSettingErrors`.
    pub errors: Vec<SettingError>,
    /// `UserSettings`, in order.
    pub settings: Vec<UserSetting>,
}

/// A setting that was not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingError {
    /// `SettingName`.
    pub name: String,
    /// `ErrorCode`.
    pub code: SoapCode,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSetting {
    /// `Name`, such as `ExternalEwsUrl`.
    pub name: String,
    /// What it holds.
    pub value: SettingValue,
}

/// What a setting holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// A text; `None` where it is nil.
    Text(Option<String>),
    /// Servers of IMAP, POP or SMTP.
    Connections(Vec<ProtocolConnection>),
    /// Outlook on the web.
    Urls(Vec<WebClientUrl>),
    /// Something else, which is not read.
    Other,
}

/// A `ProtocolConnection`; texts as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProtocolConnection {
    /// `Hostname`.
    pub hostname: Option<String>,
    /// `Port`.
    pub port: Option<String>,
    /// `EncryptionMethod`: `SSL`, `TLS`, or empty for none.
    pub encryption: Option<String>,
}

/// A `WebClientUrl`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebClientUrl {
    /// `AuthenticationMethods`.
    pub methods: Option<String>,
    /// `Url`.
    pub url: Option<String>,
}

/// An `ErrorCode` (`microsoft.md` section 2.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SoapCode {
    /// It worked.
    #[default]
    NoError,
    /// Start again with another address.
    RedirectAddress,
    /// Ask at another URL.
    RedirectUrl,
    /// Not a mailbox here.
    InvalidUser,
    /// Too many users, or a request that is broken.
    InvalidRequest,
    /// The server does not know the setting.
    InvalidSetting,
    /// The setting has no value for this user.
    SettingIsNotAvailable,
    /// Throttled.
    ServerBusy,
    /// Not a domain of this organisation.
    InvalidDomain,
    /// No federation.
    NotFederated,
    /// The server failed.
    InternalServerError,
    /// Another, as written, at most 100 characters.
    Other(String),
}

impl SoapCode {
    /// Reads a code; an empty one is no error.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::NoError;
        }
        let known = NAMED.iter().find(|(_, name)| *name == text).map(|(code, _)| code.clone());
        known.unwrap_or_else(|| Self::Other(text.chars().take(100).collect()))
    }

    /// As the server writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            code => NAMED.iter().find(|(known, _)| known == code).map_or("", |(_, name)| name),
        }
    }

    /// Whether the same question may have an answer later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::ServerBusy | Self::InternalServerError)
    }

    /// Whether a smaller batch may have an answer.
    #[must_use]
    pub fn asks_for_less(&self) -> bool {
        matches!(self, Self::ServerBusy | Self::InvalidRequest)
    }
}

impl UserSettings {
    /// The places in the batch that are to be asked about again: not answered, or with an error that passes.
    #[must_use]
    pub fn unanswered(&self) -> Vec<usize> {
        let is_open = |user: &Option<UserAnswer>| user.as_ref().is_none_or(|user| user.code.is_passing());
        self.users.iter().enumerate().filter(|(_, user)| is_open(user)).map(|(at, _)| at).collect()
    }
}

impl UserAnswer {
    /// The text of a setting.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values(name).find_map(|value| if let SettingValue::Text(text) = value { text.as_deref() } else { None })
    }

    /// The servers of a setting, such as `ExternalImap4Connections`.
    #[must_use]
    pub fn connections<'a>(&'a self, name: &str) -> &'a [ProtocolConnection] {
        let connections = |value: &'a SettingValue| if let SettingValue::Connections(all) = value { Some(all.as_slice()) } else { None };
        self.values(name).find_map(connections).unwrap_or_default()
    }

    /// `UserMSOnline`: whether the mailbox is in Exchange Online.
    #[must_use]
    pub fn microsoft_online(&self) -> Option<bool> {
        match self.text("UserMSOnline")?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a SettingValue> {
        self.settings.iter().filter(move |setting| setting.name.eq_ignore_ascii_case(name)).map(|setting| &setting.value)
    }
}

const NAMED: &[(SoapCode, &str)] = &[
    (SoapCode::NoError, "NoError"),
    (SoapCode::RedirectAddress, "RedirectAddress"),
    (SoapCode::RedirectUrl, "RedirectUrl"),
    (SoapCode::InvalidUser, "InvalidUser"),
    (SoapCode::InvalidRequest, "InvalidRequest"),
    (SoapCode::InvalidSetting, "InvalidSetting"),
    (SoapCode::SettingIsNotAvailable, "SettingIsNotAvailable"),
    (SoapCode::ServerBusy, "ServerBusy"),
    (SoapCode::InvalidDomain, "InvalidDomain"),
    (SoapCode::NotFederated, "NotFederated"),
    (SoapCode::InternalServerError, "InternalServerError"),
];
