//! Which Microsoft cloud a host of its own belongs to (`microsoft.md` section 3.3). By the configured name, exact or below it.

use super::{
    domain::{is_within, normalise_host},
    hosting::Cloud,
};

/// The cloud of a host that serves Exchange Online: of an Autodiscover v2 or AutoDetect answer, of an EWS URL.
///
/// `outlook.office365.com` serves the consumer service's IMAP and POP too; as the host of such an answer it is Exchange Online's.
#[must_use]
pub fn exchange_cloud(host: &str) -> Option<Cloud> {
    find(EXCHANGE, host)
}

/// The host by which clients reach Exchange Online in a cloud.
#[must_use]
pub fn exchange_host(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Worldwide => "outlook.office365.com",
        Cloud::UsGovernment => "outlook.office365.us",
        Cloud::UsDod => "outlook-dod.office365.us",
        Cloud::China => "partner.outlook.cn",
        Cloud::France => "outlook.sovcloud.fr",
        Cloud::Germany => "outlook.sovcloud.de",
    }
}

/// The cloud of a sign-in host, or of a `cloud_instance_name` (which is the host without `login.`).
#[must_use]
pub fn sign_in_cloud(host: &str) -> Option<Cloud> {
    find(SIGN_IN, host)
}

/// The cloud of a Microsoft Graph host.
#[must_use]
pub fn graph_cloud(host: &str) -> Option<Cloud> {
    find(GRAPH, host)
}

fn find(table: &[(&str, Cloud)], host: &str) -> Option<Cloud> {
    let host = normalise_host(host);
    table.iter().find(|(name, _)| is_within(&host, name)).map(|(_, cloud)| *cloud)
}

const EXCHANGE: &[(&str, Cloud)] = &[
    ("outlook.office365.com", Cloud::Worldwide),
    ("outlook.office.com", Cloud::Worldwide),
    ("autodiscover-s.outlook.com", Cloud::Worldwide),
    ("autodiscover.outlook.com", Cloud::Worldwide),
    ("substrate.office.com", Cloud::Worldwide),
    ("outlook.office365.us", Cloud::UsGovernment),
    ("autodiscover-s.office365.us", Cloud::UsGovernment),
    ("outlook-dod.office365.us", Cloud::UsDod),
    ("autodiscover-s-dod.office365.us", Cloud::UsDod),
    ("webmail.apps.mil", Cloud::UsDod),
    ("partner.outlook.cn", Cloud::China),
    ("outlook.sovcloud.fr", Cloud::France),
    ("outlook.sovcloud.de", Cloud::Germany),
];

// GCC High and DoD sign in at one host: `tenant_region_sub_scope` or the Graph host tells them apart.
const SIGN_IN: &[(&str, Cloud)] = &[
    ("microsoftonline.com", Cloud::Worldwide),
    ("login.windows.net", Cloud::Worldwide),
    ("sts.windows.net", Cloud::Worldwide),
    ("microsoftonline.us", Cloud::UsGovernment),
    ("partner.microsoftonline.cn", Cloud::China),
    ("chinacloudapi.cn", Cloud::China),
    ("sovcloud-identity.fr", Cloud::France),
    ("sovcloud-identity.de", Cloud::Germany),
];

const GRAPH: &[(&str, Cloud)] = &[
    ("graph.microsoft.com", Cloud::Worldwide),
    ("graph.microsoft.us", Cloud::UsGovernment),
    ("dod-graph.microsoft.us", Cloud::UsDod),
    ("microsoftgraph.chinacloudapi.cn", Cloud::China),
    ("graph.svc.sovcloud.fr", Cloud::France),
    ("graph.svc.sovcloud.de", Cloud::Germany),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_exactly_or_below_a_dot() {
        for (host, cloud) in [
            ("Outlook.Office365.COM.", Some(Cloud::Worldwide)),
            ("eur01.outlook.office.com", Some(Cloud::Worldwide)),
            ("outlook-dod.office365.us", Some(Cloud::UsDod)),
            ("autodiscover-s.partner.outlook.cn", Some(Cloud::China)),
            ("evil-outlook.office365.com", None),
            ("outlook.office365.com.evil.example", None),
            ("outlook.live.com", None),
            ("", None),
        ] {
            assert_eq!(exchange_cloud(host), cloud, "{host}");
        }
        for (host, cloud) in [
            ("microsoftonline.com", Some(Cloud::Worldwide)),
            ("login.microsoftonline.us", Some(Cloud::UsGovernment)),
            ("partner.microsoftonline.cn", Some(Cloud::China)),
            ("microsoftonline.de", None),
            ("login.live.com", None),
        ] {
            assert_eq!(sign_in_cloud(host), cloud, "{host}");
        }
        for cloud in Cloud::ALL {
            assert_eq!(exchange_cloud(exchange_host(cloud)), Some(cloud));
        }
        assert_eq!(graph_cloud("dod-graph.microsoft.us"), Some(Cloud::UsDod));
        assert_eq!(graph_cloud("graph.microsoft.us"), Some(Cloud::UsGovernment));
    }
}
