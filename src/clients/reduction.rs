//! The MX reductions: from the MX host to the names that a client asks about.

use serde::{Deserialize, Serialize};

use crate::model::{is_public_suffix, registrable};

/// How a client reduces an MX host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// The host without its first label, where that is longer than the registrable domain, and then the registrable domain
    /// (Thunderbird 72, bug 1185366).
    ParentThenBase,
    /// The registrable domain.
    Base,
    /// The host, and what is left as label after label goes, down to two labels (Evolution).
    EverySuffix,
    /// The host, and the registrable domain (GNOME Online Accounts).
    HostThenBase,
    /// The host, the host without its first label unless that is a public suffix, and the last two labels (Nextcloud Mail).
    HostParentLastTwo,
    /// The last two labels (`trim_to(2)` of email-lib).
    LastTwo,
    /// The host, and what is left as label after label goes, down to the registrable domain (`FairEmail`).
    HostDownToBase,
}

impl Reduction {
    /// The names to ask about, in order.
    #[must_use]
    pub fn names(self, mx: &str, mail_domain: &str) -> Vec<String> {
        let names = match self {
            Self::ParentThenBase | Self::Base => thunderbird_names(self, mx, mail_domain),
            Self::EverySuffix => suffixes(mx).collect(),
            Self::HostParentLastTwo => {
                let parent = mx.split_once('.').map(|(_, parent)| parent).filter(|parent| !is_public_suffix(parent));
                [mx].into_iter().chain(parent).chain(last_two(mx)).collect()
            }
            Self::LastTwo => last_two(mx).into_iter().collect(),
            Self::HostDownToBase => suffixes(mx).take_while(|name| !is_public_suffix(name)).collect(),
            Self::HostThenBase => [mx].into_iter().chain(base_domain(mx).filter(|base| *base != mx)).collect(),
        };
        names.into_iter().map(str::to_owned).collect()
    }
}

/// Nothing where the MX has no registrable domain, or lies in the mail domain itself (`FetchConfig.sys.mjs`, `fetchConfigForMX`).
fn thunderbird_names<'a>(reduction: Reduction, mx: &'a str, mail_domain: &str) -> Vec<&'a str> {
    let Some(base) = base_domain(mx).filter(|base| *base != mail_domain) else { return Vec::new() };
    let parent = parent_domain(mx, base).filter(|_| reduction == Reduction::ParentThenBase);
    parent.into_iter().chain([base]).collect()
}

/// `e-mail-autoconfig.c`, `mail_autoconfig_initable_init`: as long as there is a dot.
fn suffixes(mx: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(mx), |name| name.split_once('.').map(|(_, rest)| rest)).take_while(|name| name.contains('.'))
}

/// The last two labels, whatever they are.
fn last_two(mx: &str) -> Option<&str> {
    suffixes(mx).last()
}

/// The registrable domain of an MX host by the public suffix list, ICANN and PRIVATE sections.
fn base_domain(mx: &str) -> Option<&str> {
    if mx.parse::<std::net::IpAddr>().is_ok() { None } else { registrable(mx) }
}

/// The MX host without its first label, where that is longer than the registrable domain.
fn parent_domain<'a>(mx: &'a str, base: &str) -> Option<&'a str> {
    let (_, parent) = mx.split_once('.')?;
    (parent.len() > base.len()).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mx_hosts_reduce_as_each_client_reduces_them() {
        use Reduction::{Base, EverySuffix, HostDownToBase, HostParentLastTwo, HostThenBase, LastTwo, ParentThenBase};
        for (host, reduction, expected) in [
            ("contoso-com.mail.protection.outlook.com", ParentThenBase, &["mail.protection.outlook.com", "outlook.com"][..]),
            ("contoso-com.mail.protection.outlook.com", Base, &["outlook.com"]),
            ("mx.premium.europe.example.com", ParentThenBase, &["premium.europe.example.com", "example.com"]),
            ("contoso-com.o-v1.mx.microsoft", ParentThenBase, &["o-v1.mx.microsoft", "mx.microsoft"]),
            ("mx1.hotmail.com", ParentThenBase, &["hotmail.com"]),
            ("outlook.com", ParentThenBase, &["outlook.com"]),
            ("192.0.2.1", ParentThenBase, &[]),
            ("co.uk", Base, &[]),
            ("mail.contoso.com", ParentThenBase, &[]),
            ("mail.contoso.com", Base, &[]),
            ("mx.a.example.com", EverySuffix, &["mx.a.example.com", "a.example.com", "example.com"]),
            ("mail.contoso.com", EverySuffix, &["mail.contoso.com", "contoso.com"]),
            ("localhost", EverySuffix, &[]),
            ("mx.a.example.com", HostThenBase, &["mx.a.example.com", "example.com"]),
            ("mail.contoso.com", HostThenBase, &["mail.contoso.com", "contoso.com"]),
            ("example.com", HostThenBase, &["example.com"]),
            ("mx.a.example.com", HostParentLastTwo, &["mx.a.example.com", "a.example.com", "example.com"]),
            ("mx1.example.com", HostParentLastTwo, &["mx1.example.com", "example.com", "example.com"]),
            ("example.co.uk", HostParentLastTwo, &["example.co.uk", "co.uk"]),
            ("mx.example.co.uk", LastTwo, &["co.uk"]),
            ("example.com", LastTwo, &["example.com"]),
            ("localhost", LastTwo, &[]),
            ("mx.a.example.co.uk", HostDownToBase, &["mx.a.example.co.uk", "a.example.co.uk", "example.co.uk"]),
            ("contoso-com.o-v1.mx.microsoft", HostDownToBase, &["contoso-com.o-v1.mx.microsoft", "o-v1.mx.microsoft", "mx.microsoft"]),
        ] {
            assert_eq!(reduction.names(host, "contoso.com"), expected, "{host} {reduction:?}");
        }
        assert_eq!(ParentThenBase.names("mail.contoso.com", "sales.contoso.com"), ["contoso.com"]);
    }
}
