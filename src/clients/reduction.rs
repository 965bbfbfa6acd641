//! The MX reductions: from the MX host to the names that a client asks about.

use crate::model::registrable;

/// An MX host with what it reduces to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mx {
    /// The MX host.
    pub(super) host: String,
    /// Without its first label, where that is longer than the base (Thunderbird 72, bug 1185366).
    pub(super) parent: Option<String>,
    /// The registrable domain.
    pub(super) base: String,
}

impl Mx {
    /// Reduces an MX host; `None` where it has no registrable domain, or lies in the mail domain itself: clients then make no
    /// lookup by MX (`FetchConfig.sys.mjs`, `fetchConfigForMX`).
    pub(super) fn reduce(host: &str, mail_domain: &str) -> Option<Self> {
        let base = base_domain(host)?;
        if base == mail_domain {
            return None;
        }
        Some(Self { host: host.to_owned(), parent: parent_domain(host).map(str::to_owned), base: base.to_owned() })
    }
}

/// The registrable domain of an MX host by the public suffix list, ICANN and PRIVATE sections.
#[must_use]
pub fn base_domain(mx: &str) -> Option<&str> {
    if mx.parse::<std::net::IpAddr>().is_ok() { None } else { registrable(mx) }
}

/// The MX host without its first label, where that is longer than the registrable domain.
#[must_use]
pub fn parent_domain(mx: &str) -> Option<&str> {
    let base = base_domain(mx)?;
    let (_, parent) = mx.split_once('.')?;
    (parent.len() > base.len()).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mx_hosts_reduce_as_thunderbird_reduces_them() {
        for (host, parent, base) in [
            ("contoso-com.mail.protection.outlook.com", Some("mail.protection.outlook.com"), "outlook.com"),
            ("mx.premium.europe.example.com", Some("premium.europe.example.com"), "example.com"),
            ("contoso-com.o-v1.mx.microsoft", Some("o-v1.mx.microsoft"), "mx.microsoft"),
            ("mx1.hotmail.com", None, "hotmail.com"),
            ("outlook.com", None, "outlook.com"),
        ] {
            assert_eq!(parent_domain(host), parent, "{host}");
            assert_eq!(base_domain(host), Some(base), "{host}");
        }
        assert_eq!(base_domain("192.0.2.1"), None);
        assert_eq!(base_domain("co.uk"), None);
    }

    #[test]
    fn an_mx_in_the_mail_domain_itself_is_not_looked_up() {
        assert_eq!(Mx::reduce("mail.contoso.com", "contoso.com"), None);
        assert!(Mx::reduce("mail.contoso.com", "sales.contoso.com").is_some());
    }
}
