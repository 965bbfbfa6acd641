//! What the sign-in service says of a domain: `OpenID` metadata and realms (`microsoft.md` sections 6.1, 6.2 and 6.4). The
//! worldwide host knows the tenants of the other clouds too.

use autodiscover_audit::model::Cloud;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{CloudHosts, Directory as Services, account, hosts};
use crate::fakenet::{
    seen::Seen,
    site::{Act, Answer},
};

/// The directory that a domain belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// A tenant's; Microsoft signs its users in.
    Tenant { cloud: Cloud, brand: &'static str },
    /// A tenant's; the organisation signs them in at this URL.
    Federated { cloud: Cloud, url: &'static str },
    /// That of all personal accounts.
    Consumer,
    /// None.
    None,
}

impl Directory {
    fn cloud(&self) -> Option<Cloud> {
        match self {
            Self::Tenant { cloud, .. } | Self::Federated { cloud, .. } => Some(*cloud),
            Self::Consumer => Some(Cloud::Worldwide),
            Self::None => None,
        }
    }
}

pub(super) fn answer(services: &Services, seen: &Seen) -> Act {
    if seen.path == "/common/GetCredentialType" && seen.method == "POST" {
        return account::answer(services, seen);
    }
    if seen.path.starts_with("/common/userrealm/") {
        return seen.address().map_or_else(|| Act::status(400), |address| realm(services, &address));
    }
    let domain = seen.path.strip_prefix('/').and_then(|path| path.strip_suffix(METADATA));
    domain.map_or_else(|| Act::status(404), |domain| metadata(services, domain))
}

fn metadata(services: &Services, domain: &str) -> Act {
    let directory = services.tenancy(&format!("postmaster@{domain}")).directory;
    let Some(cloud) = directory.cloud() else {
        let description = format!("AADSTS90002: Tenant '{domain}' not found. Check to make sure you have the correct tenant ID.\r\n");
        let error = json!({ "error": "invalid_tenant", "error_description": description, "error_codes": [90002] });
        return Act::Answer(Answer::json(400, error.to_string()));
    };
    let CloudHosts { sign_in, graph, region: (region, sub_region), .. } = hosts(cloud);
    let id = if directory == Directory::Consumer { CONSUMER.to_owned() } else { tenant_id(domain) };
    let at = |rest: &str| format!("https://login.{sign_in}/{id}/{rest}");
    let mut body = json!({ "token_endpoint": at("oauth2/v2.0/token"), "issuer": at("v2.0"),
                           "authorization_endpoint": at("oauth2/v2.0/authorize"), "tenant_region_scope": region,
                           "cloud_instance_name": sign_in, "msgraph_host": graph });
    if let Some(sub_region) = sub_region {
        body["tenant_region_sub_scope"] = sub_region.into();
    }
    Act::json(body.to_string())
}

fn realm(services: &Services, address: &str) -> Act {
    let domain = address.rsplit('@').next().unwrap_or_default();
    let directory = services.tenancy(address).directory;
    let instance = directory.cloud().map(|cloud| hosts(cloud).sign_in);
    let body = match directory {
        Directory::Tenant { brand, .. } => json!({ "NameSpaceType": "Managed", "Login": address, "DomainName": domain,
            "FederationBrandName": brand, "TenantBrandingInfo": null, "cloud_instance_name": instance }),
        Directory::Federated { url, .. } => json!({ "NameSpaceType": "Federated", "Login": address, "DomainName": domain,
            "FederationBrandName": domain, "AuthURL": format!("{url}?username={address}"), "cloud_instance_name": instance }),
        Directory::Consumer => json!({ "NameSpaceType": "Managed", "ConsumerDomain": true, "Login": address, "DomainName": domain,
            "FederationBrandName": "MSA Realms", "cloud_instance_name": instance }),
        Directory::None => json!({ "NameSpaceType": "Unknown", "Login": address }),
    };
    Act::json(body.to_string())
}

/// One for each domain, and always the same.
fn tenant_id(domain: &str) -> String {
    let text = format!("{:032x}", Sha256::digest(domain).iter().take(16).fold(0_u128, |id, octet| id << 8 | u128::from(*octet)));
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

const METADATA: &str = "/v2.0/.well-known/openid-configuration";
const CONSUMER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
