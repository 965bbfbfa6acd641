//! Where a mailbox lives: from what the authorities say to one hosting, and to where they contradict each other (`semantics.md`,
//! "Where the mailbox lives"). Also whether a personal account has the same address. Pure; knows nothing of how they were asked.

use super::endpoint::{EndpointTable, Use, matches};
use crate::model::{
    Address, Authority, AutoDetect, Claim, Class, Cloud, Existence, Hosting, Namespace, OpenIdAnswer, Protocol, Realm, exchange_cloud,
    expand, registrable,
};

/// What one authority says, with the lookup that it said it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// What it says.
    pub what: T,
    /// [`crate::model::Lookup::asked`].
    pub asked: String,
}

/// What all authorities say about one mailbox; `None`: one says nothing, or was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Testimony {
    /// Exchange Online's own settings of the mailbox.
    pub soap: Option<Told<Hosting>>,
    /// The list's column.
    pub list: Option<Hosting>,
    /// Autodiscover v2.
    pub v2: Option<Told<Hosting>>,
    /// The tenant's default.
    pub tenant: Hosting,
    /// The `OpenID` metadata of the domain.
    pub openid: Option<Told<Membership>>,
    /// The realm of the domain.
    pub realm: Option<Told<Membership>>,
}

/// Whose a domain is to Microsoft's sign-in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// No tenant that the service knows has it.
    Nobody,
    /// A tenant, in this cloud where it is said. The two US government clouds may be taken for each other.
    Tenant(Option<Cloud>),
    /// The consumer service.
    Consumer,
}

/// Where a mailbox lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Home {
    /// Where.
    pub hosting: Hosting,
    /// Who says so: the best authority that says anything.
    pub authority: Authority,
    /// What the authorities say, where they contradict each other; otherwise empty.
    pub conflict: Vec<Claim>,
}

impl Testimony {
    /// The home of the mailbox. A default that Autodiscover contradicts with a server of the organisation's own is a hybrid and no
    /// conflict, and so is any default but Exchange Online.
    #[must_use]
    pub fn home(&self) -> Home {
        let strong = self.strong();
        let (authority, hosting) =
            strong.first().map_or((Authority::Tenant, self.tenant), |(authority, hosting, _)| (*authority, *hosting));
        let differ = strong.iter().any(|(_, other, _)| *other != hosting);
        let is_elsewhere = matches!(hosting, Hosting::Consumer | Hosting::Other);
        let overrides = authority != Authority::List && is_elsewhere && matches!(self.tenant, Hosting::ExchangeOnline(_));
        let against: Vec<Claim> = self.against(hosting).collect();
        let mut conflict = Vec::new();
        if differ || overrides || !against.is_empty() {
            let claim = |(authority, hosting, asked): &(Authority, Hosting, Option<&String>)| Claim {
                authority: *authority,
                says: hosting.to_string(),
                asked: asked.cloned(),
            };
            conflict.extend(strong.iter().map(claim));
            if overrides || strong.is_empty() {
                conflict.push(claim(&(Authority::Tenant, self.tenant, None)));
            }
            conflict.extend(against);
        }
        Home { hosting, authority, conflict }
    }

    /// Those that decide, the best first.
    fn strong(&self) -> Vec<(Authority, Hosting, Option<&String>)> {
        let list = self.list.map(|hosting| (Authority::List, hosting, None));
        let told = [(Authority::AutodiscoverSoap, self.soap.as_ref()), (Authority::AutodiscoverV2, self.v2.as_ref())];
        let [soap, v2] = told.map(|(authority, told)| told.map(|told| (authority, told.what, Some(&told.asked))));
        [soap, list, v2].into_iter().flatten().collect()
    }

    /// What the sign-in service says against a home in Exchange Online.
    fn against(&self, hosting: Hosting) -> impl Iterator<Item = Claim> {
        let asked = [(Authority::Openid, self.openid.as_ref()), (Authority::Realm, self.realm.as_ref())];
        asked.into_iter().filter_map(move |(authority, told)| {
            let told = told?;
            let says = told.what.against(hosting.cloud()?, authority)?;
            Some(Claim { authority, says, asked: Some(told.asked.clone()) })
        })
    }
}

impl Membership {
    /// What the metadata say of a domain; `None`: an error that is not about the domain.
    #[must_use]
    pub fn of_openid(answer: &OpenIdAnswer) -> Option<Self> {
        match answer {
            OpenIdAnswer::Directory(directory) if directory.is_consumer() => Some(Self::Consumer),
            OpenIdAnswer::Directory(directory) => Some(Self::Tenant(directory.cloud)),
            OpenIdAnswer::Refused(refusal) => refusal.is_no_tenant().then_some(Self::Nobody),
        }
    }

    /// What a realm says of a domain; `None`: it is of a kind that is not known.
    #[must_use]
    pub fn of_realm(realm: &Realm) -> Option<Self> {
        match &realm.namespace {
            _ if realm.consumer == Some(true) => Some(Self::Consumer),
            Namespace::Managed | Namespace::Federated => Some(Self::Tenant(realm.cloud)),
            Namespace::Unknown => Some(Self::Nobody),
            Namespace::Other(_) => None,
        }
    }

    /// What of it contradicts a mailbox in this cloud, a line.
    fn against(self, home: Cloud, authority: Authority) -> Option<String> {
        match self {
            // the worldwide service knows the US government's domains, and not those of clouds with a sign-in of their own
            Self::Nobody if matches!(home, Cloud::Worldwide | Cloud::UsGovernment | Cloud::UsDod) => {
                Some("no tenant has the domain".into())
            }
            Self::Nobody | Self::Tenant(None) => None,
            Self::Tenant(Some(cloud)) if cloud == home => None,
            // both sign in at one host, and a realm does not tell them apart
            Self::Tenant(Some(Cloud::UsGovernment)) if home == Cloud::UsDod && authority == Authority::Realm => None,
            Self::Tenant(Some(cloud)) => Some(format!("the domain's tenant is in the cloud {cloud}")),
            Self::Consumer => Some("the domain is the consumer service's".into()),
        }
    }
}

/// Where a mailbox lives whose Exchange services are at a host; `None`: the host proves nothing.
#[must_use]
pub fn hosting_of_host(endpoints: &EndpointTable, host: &str, (address, allowed_hosts): (&Address, &[String])) -> Option<Hosting> {
    if let Some(cloud) = exchange_cloud(host) {
        return Some(Hosting::ExchangeOnline(cloud));
    }
    match endpoints.find(host, Use::Protocol(Protocol::ActiveSync)).map(|endpoint| endpoint.class) {
        Some(Class::Consumer) => Some(Hosting::Consumer),
        Some(Class::Shared | Class::Retired) => None,
        Some(class) => class.cloud().map(Hosting::ExchangeOnline),
        None if is_own(host, address) || is_allowed(host, (address, allowed_hosts)) => Some(Hosting::OnPremises),
        None => Some(Hosting::Other),
    }
}

/// Whether a host, lower case, is one that the tenant allows.
pub(super) fn is_allowed(host: &str, (address, allowed_hosts): (&Address, &[String])) -> bool {
    allowed_hosts.iter().any(|allowed| matches(&expand(allowed, address).to_lowercase(), host))
}

/// Whether a host is within the registrable domain of an address.
pub(super) fn is_own(host: &str, address: &Address) -> bool {
    registrable(host).is_some() && registrable(host) == registrable(address.domain().as_str())
}

/// What tells that a personal account has the address of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts<'a> {
    /// Where the account exists.
    pub existence: Option<Told<Existence>>,
    /// Where an account of the domain exists that nobody has made; `None`: it was not asked.
    pub canary: Option<Existence>,
    /// What AutoDetect answered about this address itself.
    pub autodetect: Option<Told<&'a AutoDetect>>,
}

impl Accounts<'_> {
    /// Why the address is taken to be a personal account, too, a line.
    #[must_use]
    pub fn personal_account(&self) -> Option<String> {
        // a domain whose accounts all "exist" says nothing of any, and neither does one that did not answer
        let is_sound = self.canary == Some(Existence::Nowhere);
        let by_existence = self.existence.as_ref().filter(|_| is_sound).and_then(|told| {
            let what = match told.what {
                Existence::Personal => "a personal account has the address, and no work account",
                Existence::Both => "a work account and a personal account have the address",
                _ => return None,
            };
            Some(format!("{}: {what}", told.asked))
        });
        by_existence.or_else(|| {
            let told = self.autodetect.as_ref()?;
            let lists = |name: &str| told.what.services.iter().any(|service| service.service.as_deref() == Some(name));
            let both = lists("office365") && lists("outlook");
            both.then(|| format!("{}: both Exchange Online and the consumer service know the address", told.asked))
        })
    }
}

#[cfg(test)]
mod tests;
