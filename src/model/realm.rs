//! What Microsoft's sign-in service says of a domain or an address: realm, directory, kind of credentials (`microsoft.md`
//! section 6).

use super::hosting::Cloud;

/// The realm of a domain (`userrealm`, `GetUserRealm.srf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Who signs its users in.
    pub namespace: Namespace,
    /// The domain, as answered.
    pub domain: Option<String>,
    /// `FederationBrandName`: the organisation's name.
    pub brand: Option<String>,
    /// Where users of a federated domain sign in.
    pub sign_in_url: Option<String>,
    /// `ConsumerDomain`: whether it is a domain of the consumer service.
    pub consumer: Option<bool>,
    /// `cloud_instance_name`, as written.
    pub cloud_instance: Option<String>,
    /// The cloud by its name. The two US government clouds share one: [`Directory::cloud`] tells them apart.
    pub cloud: Option<Cloud>,
}

/// Who signs the users of a domain in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
    /// Microsoft's cloud, for a tenant.
    Managed,
    /// The organisation's own service, for a tenant.
    Federated,
    /// The domain is in no tenant of this cloud.
    Unknown,
    /// Another, as written, at most 100 characters.
    Other(String),
}

/// The answer for `OpenID` metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenIdAnswer {
    /// The domain is in a tenant.
    Directory(Directory),
    /// An error.
    Refused(OpenIdRefusal),
}

/// A tenant's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The tenant's id, lower case.
    pub id: String,
    /// `tenant_region_scope`, such as `EU`.
    pub region: Option<String>,
    /// `tenant_region_sub_scope`: `GCC`, `DODCON` (GCC High), `DOD`.
    pub sub_region: Option<String>,
    /// `cloud_instance_name`, as written.
    pub cloud_instance: Option<String>,
    /// The cloud; `None` where it has no name here.
    pub cloud: Option<Cloud>,
}

impl Directory {
    /// The directory of all personal accounts.
    pub const CONSUMER_ID: &'static str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    /// Whether it is the directory of all personal accounts.
    #[must_use]
    pub fn is_consumer(&self) -> bool {
        self.id == Self::CONSUMER_ID
    }
}

/// An error of the `OpenID` metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdRefusal {
    /// The HTTP status.
    pub status: u16,
    /// `error`, such as `invalid_tenant`.
    pub error: String,
    /// The number behind `AADSTS`, such as 90002.
    pub code: Option<u32>,
    /// `error_description`, first line, at most 500 characters.
    pub description: String,
}

impl OpenIdRefusal {
    /// Whether it says that no tenant of this cloud has the domain.
    #[must_use]
    pub fn is_no_tenant(&self) -> bool {
        self.error == "invalid_tenant" || self.code == Some(90_002)
    }
}

/// The answer of `GetCredentialType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialType {
    /// Where the account exists. [`Existence::Throttled`] whenever the answer is throttled: the rest is then without meaning.
    pub existence: Existence,
    /// `EstsProperties/DomainType`: 3 managed, 4 federated, 2 consumer.
    pub namespace: Option<Namespace>,
    /// `Credentials/FederationRedirectUrl`.
    pub federation_url: Option<String>,
    /// `IsUnmanaged`: an account of a directory that nobody administers.
    pub unmanaged: Option<bool>,
}

/// `IfExistsResult`. Some tenants say "yes" to everything: believed only beside a canary that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// 0: in this tenant.
    Work,
    /// 1: nowhere.
    Nowhere,
    /// 2, or a `ThrottleStatus` above 0.
    Throttled,
    /// 4: the server failed.
    Failed,
    /// 5: only as a personal account.
    Personal,
    /// 6: here, and as a personal account.
    Both,
    /// Another number.
    Unknown(i64),
}
