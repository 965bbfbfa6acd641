//! What the columns of a list mean: the project's own names and those of Exchange's cmdlets (`microsoft.md` section 9.4).

/// A column that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Holds the address; the lowest rank that a row has is taken.
    Address(u8),
    /// `UserPrincipalName`; the address where no other column holds it.
    SignInName,
    /// Every address; the one behind `SMTP:` is the primary one.
    EmailAddresses,
    DisplayName,
    Department,
    Manager,
    Hosting,
    Imap,
    Pop3,
    Smtp,
    /// `SmtpClientAuthenticationDisabled`: on is off.
    SmtpDisabled,
    ActiveSync,
    Clients,
    /// `RecipientTypeDetails`.
    RecipientType,
}

impl Column {
    /// The column of a header. Case, `_`, `-` and spaces do not count.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let plain: String = header.chars().filter(|character| !" _-".contains(*character)).collect::<String>().to_ascii_lowercase();
        NAMES.iter().find(|(name, _)| *name == plain).map(|(_, column)| *column)
    }

    /// Among the columns that could hold the address, the lowest is it.
    pub(super) fn address_rank(self) -> Option<u8> {
        match self {
            Self::Address(rank) => Some(rank),
            Self::SignInName => Some(RANK_SIGN_IN_NAME),
            Self::EmailAddresses => Some(RANK_EMAIL_ADDRESSES),
            _ => None,
        }
    }
}

/// Whether a header is one that Exchange's cmdlets write.
pub(super) fn is_exchange(header: &str) -> bool {
    EXCHANGE.contains(&header)
}

/// Rank of the sign-in name among the columns that could hold the address.
pub(super) const RANK_SIGN_IN_NAME: u8 = 5;
/// Rank of `EmailAddresses`, which `Export-Csv` often spoils.
pub(super) const RANK_EMAIL_ADDRESSES: u8 = 6;

const NAMES: [(&str, Column); 31] = [
    ("primarysmtpaddress", Column::Address(0)),
    ("address", Column::Address(1)),
    ("mail", Column::Address(2)),
    ("email", Column::Address(3)),
    ("emailaddress", Column::Address(4)),
    ("userprincipalname", Column::SignInName),
    ("signinname", Column::SignInName),
    ("upn", Column::SignInName),
    ("emailaddresses", Column::EmailAddresses),
    ("displayname", Column::DisplayName),
    ("department", Column::Department),
    ("manager", Column::Manager),
    ("hosting", Column::Hosting),
    ("imap", Column::Imap),
    ("imapenabled", Column::Imap),
    ("pop", Column::Pop3),
    ("pop3", Column::Pop3),
    ("popenabled", Column::Pop3),
    ("pop3enabled", Column::Pop3),
    ("smtp", Column::Smtp),
    ("smtpenabled", Column::Smtp),
    ("smtpauth", Column::Smtp),
    ("smtpauthenabled", Column::Smtp),
    ("smtpclientauthenticationdisabled", Column::SmtpDisabled),
    ("activesync", Column::ActiveSync),
    ("activesyncenabled", Column::ActiveSync),
    ("eas", Column::ActiveSync),
    ("easenabled", Column::ActiveSync),
    ("clients", Column::Clients),
    ("client", Column::Clients),
    ("recipienttypedetails", Column::RecipientType),
];

const EXCHANGE: [&str; 8] = [
    "PrimarySmtpAddress",
    "UserPrincipalName",
    "RecipientTypeDetails",
    "ImapEnabled",
    "PopEnabled",
    "ActiveSyncEnabled",
    "SmtpClientAuthenticationDisabled",
    "ExchangeVersion",
];
