//! What the columns of a list mean: the project's own names and those of Exchange's cmdlets (`microsoft.md` section 9.4).

use super::plain::trim;

/// A column that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Holds the address; of several the one of the lowest rank is taken.
    Address(u8),
    /// `WindowsEmailAddress`: the address where the column before is empty or missing.
    WindowsAddress,
    /// Every address, the next to be looked at; the one behind `SMTP:` is the primary one.
    EmailAddresses,
    /// `UserPrincipalName`: the address where nothing else is it.
    SignInName,
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
        let plain: String = trim(header).chars().filter(|character| !" _-".contains(*character)).collect::<String>().to_ascii_lowercase();
        NAMES.iter().find(|(name, _)| *name == plain).map(|(_, column)| *column)
    }

    /// Whether it holds the address and nothing else.
    pub(super) fn is_address(self) -> bool {
        self != Self::SignInName && self.address_rank().is_some()
    }

    /// Among the columns that could hold the address, the lowest is it.
    pub(super) fn address_rank(self) -> Option<u8> {
        match self {
            Self::Address(rank) => Some(rank),
            Self::WindowsAddress => Some(RANK_WINDOWS_ADDRESS),
            Self::EmailAddresses => Some(RANK_EMAIL_ADDRESSES),
            Self::SignInName => Some(RANK_SIGN_IN_NAME),
            _ => None,
        }
    }
}

/// Whether a header is one that Exchange's cmdlets write.
pub(super) fn is_exchange(header: &str) -> bool {
    EXCHANGE.contains(&header)
}

/// Whether the sign-in name stands in for an address that is not there, by the rank of the best column. A directory's `mail` is empty
/// for users without a mailbox; Exchange lists nobody else.
pub(super) fn sign_in_name_stands_in(best: u8) -> bool {
    best == RANK_PRIMARY || best >= RANK_WINDOWS_ADDRESS
}

const RANK_PRIMARY: u8 = 0;
const RANK_WINDOWS_ADDRESS: u8 = 5;
const RANK_EMAIL_ADDRESSES: u8 = 6;
/// Rank of the sign-in name among the columns that could hold the address.
pub(super) const RANK_SIGN_IN_NAME: u8 = 7;

const NAMES: [(&str, Column); 33] = [
    ("primarysmtpaddress", Column::Address(RANK_PRIMARY)),
    ("address", Column::Address(1)),
    ("mail", Column::Address(2)),
    ("email", Column::Address(3)),
    ("emailaddress", Column::Address(4)),
    ("userprincipalname", Column::SignInName),
    ("signinname", Column::SignInName),
    ("upn", Column::SignInName),
    ("windowsemailaddress", Column::WindowsAddress),
    ("emailaddresses", Column::EmailAddresses),
    ("proxyaddresses", Column::EmailAddresses),
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

const EXCHANGE: [&str; 9] = [
    "PrimarySmtpAddress",
    "WindowsEmailAddress",
    "UserPrincipalName",
    "RecipientTypeDetails",
    "ImapEnabled",
    "PopEnabled",
    "ActiveSyncEnabled",
    "SmtpClientAuthenticationDisabled",
    "ExchangeVersion",
];
