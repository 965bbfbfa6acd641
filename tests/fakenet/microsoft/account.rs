//! `GetCredentialType` (`microsoft.md` section 6.3).

use serde_json::{Value, json};

use super::{Directory, TenantDirectory};
use crate::fakenet::{seen::Seen, site::Act};

/// Where an address is an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// In its tenant, where the world lists it; nowhere otherwise.
    Work,
    /// In its tenant, whoever is asked about: such tenants are seen.
    WorkForAll,
    /// Nowhere.
    Nowhere,
    /// Only as a personal account.
    Personal,
    /// In its tenant, and as a personal account.
    Both,
    /// Nobody can tell, as too much was asked.
    Throttled,
    /// The service failed.
    Failed,
}

pub(super) fn answer(directory: &Directory, seen: &Seen) -> Act {
    let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
    let Some(address) = body["username"].as_str() else { return Act::status(400) };
    let tenancy = directory.tenancy(address);
    let (exists, throttled) = match tenancy.account {
        Account::Work if directory.accounts.contains(&address.to_lowercase()) => (0, 0),
        Account::Work | Account::Nowhere => (1, 0),
        Account::WorkForAll => (0, 0),
        Account::Personal => (5, 0),
        Account::Both => (6, 0),
        Account::Throttled => (0, 1),
        Account::Failed => (4, 0),
    };
    let domain_type = match tenancy.directory {
        TenantDirectory::Tenant { .. } => 3,
        TenantDirectory::Federated { .. } => 4,
        TenantDirectory::Consumer => 2,
        TenantDirectory::None => 1,
    };
    Act::json(
        json!({ "Username": address, "Display": address, "IfExistsResult": exists, "IsUnmanaged": false, "ThrottleStatus": throttled,
                "Credentials": { "PrefCredential": 1, "HasPassword": true },
                "EstsProperties": { "UserTenantBranding": null, "DomainType": domain_type } })
        .to_string(),
    )
}
