//! The MX reductions: from the MX host to the names that a client asks about.

use serde::Deserialize;

use crate::model::registrable;

/// How a client reduces an MX host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduction {
    /// The host without its first label, where that is longer than the registrable domain, and then the registrable domain
    /// (Thunderbird 72, bug 1185366).
    ParentThenBase,
    /// The registrable domain.
    Base,
}

impl Reduction {
    /// The names to ask about, in order. Thunderbird and what was made after it ask nothing where the MX lies in the mail domain
    /// itself (`FetchConfig.sys.mjs`, `fetchConfigForMX`), nor where it has no registrable domain.
    #[must_use]
    pub fn names(self, mx: &str, mail_domain: &str) -> Vec<String> {
        let Some(base) = base_domain(mx).filter(|base| *base != mail_domain) else { return Vec::new() };
        let names = match self {
            Self::ParentThenBase => [parent_domain(mx, base), Some(base)],
            Self::Base => [None, Some(base)],
        };
        names.into_iter().flatten().map(str::to_owned).collect()
    }
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
        use Reduction::{Base, ParentThenBase};
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
        ] {
            assert_eq!(reduction.names(host, "contoso.com"), expected, "{host} {reduction:?}");
        }
        assert_eq!(ParentThenBase.names("mail.contoso.com", "sales.contoso.com"), ["contoso.com"]);
    }
}
