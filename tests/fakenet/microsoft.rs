//! Microsoft's services as far as clients and audits ask them (`microsoft.md` sections 1.6, 2, 3, 4 and 6): what each knows about a
//! domain or about one address. By default a domain in a tenant is one whose mailboxes are in Exchange Online.

mod account;
mod autodetect;
mod sign_in;
mod soap;
mod v2;

use std::collections::{HashMap, HashSet};

use autodiscover_audit::model::{Cloud, Hosting};

use super::{
    seen::{Log, Seen},
    site::{Act, Answer},
};
pub use account::Account;
pub use autodetect::{Detected, Row, service};
pub use sign_in::Directory as TenantDirectory;
pub use soap::{Batches, User};
pub use v2::V2;

/// A service of Microsoft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Autodiscover v2, in both forms of its URL.
    AutodiscoverV2,
    /// AutoDetect.
    AutoDetect,
    /// `OpenID` metadata, realms and credential types.
    SignIn,
    /// `GetUserSettings`.
    UserSettings,
}

/// What all of the services know.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    domains: HashMap<String, Tenancy>,
    addresses: HashMap<String, Tenancy>,
    accounts: HashSet<String>,
    /// How the SOAP interface treats batches.
    pub batches: Batches,
}

/// What the services know about a domain or an address.
#[derive(Debug, Clone)]
pub struct Tenancy {
    pub v2: V2,
    pub detected: Detected,
    pub directory: TenantDirectory,
    pub account: Account,
    pub user: User,
}

impl Tenancy {
    /// A domain whose mailboxes live there, as the services see it.
    pub fn of(hosting: Hosting) -> Self {
        match hosting {
            Hosting::ExchangeOnline(cloud) => Self::exchange_online(cloud),
            Hosting::Consumer => Self::consumer(),
            Hosting::OnPremises | Hosting::Other => Self::unknown(),
        }
    }

    /// A tenant's domain.
    pub fn exchange_online(cloud: Cloud) -> Self {
        let detected = Detected::Found { services: vec![service("office365", Some(hosts(cloud)))], rows: Vec::new() };
        let (v2, directory) = (V2::Cloud(cloud), TenantDirectory::Tenant { cloud, brand: "Contoso" });
        Self { v2, detected, directory, account: Account::Work, user: User::Online }
    }

    /// A domain of the consumer service.
    pub fn consumer() -> Self {
        Self {
            v2: V2::Endpoint("https://eas.outlook.com/Microsoft-Server-ActiveSync".to_owned()),
            detected: Detected::Found { services: vec![service("outlook", None)], rows: Vec::new() },
            directory: TenantDirectory::Consumer,
            account: Account::Personal,
            user: User::Invalid,
        }
    }

    /// A domain that no tenant has.
    pub fn unknown() -> Self {
        Self {
            v2: V2::Refused { status: 404, code: "UserNotFound" },
            detected: Detected::Nothing,
            directory: TenantDirectory::None,
            account: Account::Nowhere,
            user: User::Invalid,
        }
    }
}

impl Directory {
    /// Enters a domain.
    pub fn enter_domain(&mut self, domain: &str, tenancy: Tenancy) {
        self.domains.insert(domain.to_owned(), tenancy);
    }

    /// Enters what is different about one address.
    pub fn enter_address(&mut self, address: &str, tenancy: Tenancy) {
        self.addresses.insert(address.to_lowercase(), tenancy);
    }

    /// Enters where one mailbox of a tenant lives, if that is not where the tenant's do.
    pub fn enter_hosting(&mut self, address: &str, hosting: Hosting) {
        if !self.addresses.contains_key(&address.to_lowercase()) {
            let of_domain = self.tenancy(address);
            let tenancy = Tenancy { directory: of_domain.directory, account: of_domain.account, ..Tenancy::of(hosting) };
            self.enter_address(address, tenancy);
        }
    }

    /// Makes an address an account of its domain's tenant.
    pub fn enter_account(&mut self, address: &str) {
        self.accounts.insert(address.to_lowercase());
    }

    /// What is known about a domain.
    pub fn domain_mut(&mut self, domain: &str) -> &mut Tenancy {
        self.domains.get_mut(domain).unwrap_or_else(|| panic!("no domain `{domain}`"))
    }

    /// What is known about an address: its own entry, or its domain's.
    pub fn tenancy(&self, address: &str) -> Tenancy {
        let address = address.to_lowercase();
        let domain = address.rsplit('@').next().unwrap_or_default();
        self.addresses.get(&address).or_else(|| self.domains.get(domain)).cloned().unwrap_or_else(Tenancy::unknown)
    }

    /// What a service does with a request.
    pub fn answer(&self, service: Service, seen: &Seen, log: &Log) -> Act {
        match service {
            Service::AutodiscoverV2 => v2::answer(self, seen),
            Service::AutoDetect => autodetect::answer(self, seen, log),
            Service::SignIn => sign_in::answer(self, seen),
            Service::UserSettings => soap::answer(self, seen, log),
        }
    }
}

/// The hosts of a cloud (`microsoft.md` section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudHosts {
    pub exchange: &'static str,
    pub autodiscover: &'static str,
    pub sign_in: &'static str,
    pub graph: &'static str,
    /// `tenant_region_scope` and `tenant_region_sub_scope`.
    pub region: (&'static str, Option<&'static str>),
}

/// The hosts of a cloud.
pub fn hosts(cloud: Cloud) -> CloudHosts {
    let hosts = |exchange, autodiscover, sign_in, graph, region| CloudHosts { exchange, autodiscover, sign_in, graph, region };
    match cloud {
        Cloud::Worldwide => {
            hosts("outlook.office365.com", "autodiscover-s.outlook.com", "microsoftonline.com", "graph.microsoft.com", ("EU", None))
        }
        Cloud::UsGovernment => hosts(
            "outlook.office365.us",
            "autodiscover-s.office365.us",
            "microsoftonline.us",
            "graph.microsoft.us",
            ("USGov", Some("DODCON")),
        ),
        Cloud::UsDod => hosts(
            "outlook-dod.office365.us",
            "autodiscover-s-dod.office365.us",
            "microsoftonline.us",
            "dod-graph.microsoft.us",
            ("USGov", Some("DOD")),
        ),
        Cloud::China => hosts(
            "partner.outlook.cn",
            "autodiscover-s.partner.outlook.cn",
            "partner.microsoftonline.cn",
            "microsoftgraph.chinacloudapi.cn",
            ("AS", None),
        ),
        Cloud::France => hosts(
            "outlook.sovcloud.fr",
            "autodiscover-s.outlook.sovcloud.fr",
            "sovcloud-identity.fr",
            "graph.svc.sovcloud.fr",
            ("EU", None),
        ),
        Cloud::Germany => hosts(
            "outlook.sovcloud.de",
            "autodiscover-s.outlook.sovcloud.de",
            "sovcloud-identity.de",
            "graph.svc.sovcloud.de",
            ("EU", None),
        ),
    }
}

/// The answer to whoever does not sign in: the schemes, and what the endpoint can do.
pub fn sign_in_first() -> Act {
    let schemes = ["Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"*\"", "Basic realm=\"\""];
    let answer = schemes.iter().fold(Answer::new(401), |answer, scheme| answer.header("WWW-Authenticate", *scheme));
    let enabled = ["X-SOAP-Enabled", "X-WSSecurity-Enabled", "X-OAuth-Enabled"];
    let answer = enabled.iter().fold(answer, |answer, name| answer.header(name, "True"));
    Act::Answer(answer.header("X-FederationTrustTokenIssuerUri", "urn:federation:MicrosoftOnline"))
}
