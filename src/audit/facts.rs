//! What is asked beside the clients: whose a domain is to Microsoft's sign-in service, and where Autodiscover v2, Exchange Online's own
//! settings and the account service say that a mailbox lives. Says what has to be asked, and reads the answers as testimony. Pure.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
};

use sha2::{Digest, Sha256};

use super::{Answers, Case, outcome::neutralise, place::put};
use crate::{
    classify::{Accounts, EndpointTable, Membership, Testimony, Told, hosting_of_host},
    clients::{V2End, settle_v2},
    model::{
        AUTODETECT_URL, Address, AnswerOutcome, AutoDetect, AutoDetectAnswer, AutodiscoverV2, Cloud, CredentialType, Document, Domain,
        Existence, Hosting, Lookup, LookupKind, Message, Reading, Readings, Request, SoapAnswer, SoapCode, UserAnswer, V2Code, V2Protocol,
        exchange_cloud, normalise_host,
    },
    wire,
};

/// Which facts are asked for about a domain's mailboxes.
#[derive(Debug, Clone, Default)]
pub(super) struct Inquiry {
    kinds: BTreeSet<LookupKind>,
    /// An account that nobody has made, beside which the others are believed; `None`: accounts are not asked about.
    canary: Option<Address>,
}

impl Inquiry {
    /// By the kinds of lookups that are switched on.
    pub(super) fn new(is_enabled: impl Fn(LookupKind) -> bool, domain: &Domain) -> Self {
        let kinds: BTreeSet<LookupKind> = KINDS.into_iter().filter(|kind| is_enabled(*kind)).collect();
        let canary = || Address::parse(&format!("{CANARY}{:016x}@{domain}", RandomState::new().hash_one(domain))).ok();
        Self { canary: kinds.contains(&LookupKind::CredentialType).then(canary).flatten(), kinds }
    }

    /// The same, without a question about accounts: those are asked of an operator's own lists alone.
    pub(super) fn without_accounts(self) -> Self {
        Self { canary: None, ..self }
    }

    /// The same, as far as each mailbox is asked about alone.
    pub(super) fn of_mailbox(&self) -> Self {
        Self { kinds: self.kinds.intersection(&[LookupKind::AutodiscoverV2].into()).copied().collect(), canary: self.canary.clone() }
    }

    /// Whether Exchange Online is asked for the settings of mailboxes.
    pub(super) fn reads_settings(&self) -> bool {
        self.kinds.contains(&LookupKind::AutodiscoverSoap)
    }

    /// Whether something is asked about every mailbox.
    pub(super) fn is_about_mailboxes(&self) -> bool {
        self.kinds.contains(&LookupKind::AutodiscoverV2) || self.reads_settings() || self.canary.is_some()
    }

    /// What has to be asked about a mailbox and its domain and was not; settings come in batches of their own.
    pub(super) fn missing(&self, address: &Address, readings: &Readings) -> Vec<Lookup> {
        let (domain, mut wanted) = (address.domain(), Vec::new());
        wanted.extend(self.kinds.contains(&LookupKind::Openid).then(|| openid(domain)));
        wanted.extend(self.kinds.contains(&LookupKind::Realm).then(|| realm(domain)));
        wanted.extend(self.canary.iter().flat_map(|canary| [credential_type(canary), credential_type(address)]));
        wanted.retain(|lookup| readings.get(&lookup.request).is_none());
        if self.kinds.contains(&LookupKind::AutodiscoverV2) {
            wanted.extend(settle_v2(readings, address, V2Protocol::ActiveSync).missing);
        }
        wanted
    }
}

/// Whether an address is a canary's.
pub(super) fn is_canary(address: &Address) -> bool {
    address.local().starts_with(CANARY)
}

/// The canary of a domain in what is stored: the same in every run.
pub(super) fn stored_canary(domain: &Domain) -> Option<Address> {
    Address::parse(&format!("{CANARY}0000000000000000@{domain}")).ok()
}

/// What the authorities say about the mailbox of a case.
pub(super) fn testimony(endpoints: &EndpointTable, case: &Case<'_>, answers: &Answers) -> Testimony {
    let (address, readings) = (&case.subject.address, &answers.readings);
    let domain = address.domain();
    let membership = |lookup: Lookup, what: fn(&Document) -> Option<Membership>| {
        Some(Told { what: what(&readings.get(&lookup.request)?.document)?, asked: lookup.asked })
    };
    Testimony {
        soap: share(address, answers).and_then(|(lookup, reading)| {
            let what = hosting_by_settings(endpoints, case, (lookup, reading))?;
            Some(Told { what, asked: lookup.asked.clone() })
        }),
        list: case.profile.hosting,
        v2: hosting_by_v2(endpoints, case, readings),
        tenant: case.tenant.hosting,
        openid: membership(openid(domain), |document| match document {
            Document::OpenId(answer) => Membership::of_openid(answer),
            _ => None,
        }),
        realm: membership(realm(domain), |document| match document {
            Document::Realm(realm) => Membership::of_realm(realm),
            _ => None,
        }),
    }
}

/// What tells that a personal account has the address of a case's mailbox.
pub(super) fn accounts<'a>(address: &Address, answers: &'a Answers) -> Accounts<'a> {
    let existence = |lookup: &Lookup| match &answers.readings.get(&lookup.request)?.document {
        Document::CredentialType(answer) => Some(answer.existence),
        _ => None,
    };
    let own = credential_type(address);
    let asked_about = |lookup: &&Lookup| match &lookup.request {
        Request::Http { message: Message::CredentialType { address }, .. } => is_canary(address),
        _ => false,
    };
    let detected = detection(address);
    let autodetect = answers.readings.get(&detected.request).filter(|reading| reading.answer.attempts > 0).and_then(found);
    Accounts {
        existence: existence(&own).map(|what| Told { what, asked: own.asked }),
        canary: answers.lookups.iter().find(asked_about).and_then(existence),
        autodetect: autodetect.map(|what| Told { what, asked: detected.asked }),
    }
}

/// What AutoDetect found, where it did.
pub(super) fn found(reading: &Reading) -> Option<&AutoDetect> {
    match &reading.document {
        Document::AutoDetect(answer) => match &**answer {
            AutoDetectAnswer::Found(found) => Some(found),
            _ => None,
        },
        _ => None,
    }
}

/// What Autodiscover v2 says of a mailbox: the endpoint at which it ends; else, where it leads to the organisation's own server or to
/// a stranger, that. An existence that it denies, and whatever fails, say nothing.
pub(super) fn hosting_by_v2(endpoints: &EndpointTable, case: &Case<'_>, readings: &Readings) -> Option<Told<Hosting>> {
    let way = settle_v2(readings, &case.subject.address, V2Protocol::ActiveSync);
    let place = (&case.subject.address, case.tenant.allowed_hosts.as_slice());
    let asked = |test: fn(&AutodiscoverV2) -> bool| {
        let said = |lookup: &&Lookup| readings.get(&lookup.request).and_then(v2_of).is_some_and(test);
        way.chain.iter().rev().find(said)
    };
    if let Some(V2End::Endpoint(endpoint)) = &way.end {
        let lookup = asked(|answer| matches!(answer, AutodiscoverV2::Endpoint(_)))?;
        return Some(Told { what: hosting_of_host(endpoints, &endpoint.host, place)?, asked: lookup.asked.clone() });
    }
    if asked(|answer| matches!(answer, AutodiscoverV2::Refused(refusal) if refusal.code == V2Code::UserNotFound)).is_some() {
        return None;
    }
    let lookup = asked(|answer| matches!(answer, AutodiscoverV2::Redirect { .. }))?;
    // Microsoft's own hosts redirect for addresses that nobody has
    let what = hosting_of_host(endpoints, way.sent_to.as_deref()?, place)?;
    matches!(what, Hosting::OnPremises | Hosting::Other).then(|| Told { what, asked: lookup.asked.clone() })
}

fn v2_of(reading: &Reading) -> Option<&AutodiscoverV2> {
    if let Document::AutodiscoverV2(answer) = &reading.document { Some(answer) } else { None }
}

/// What the settings of Exchange Online say of a mailbox.
fn hosting_by_settings(endpoints: &EndpointTable, case: &Case<'_>, (lookup, reading): (&Lookup, &Reading)) -> Option<Hosting> {
    let user = user_of(reading)?;
    let place = (&case.subject.address, case.tenant.allowed_hosts.as_slice());
    let by_host = |host: &str| hosting_of_host(endpoints, &normalise_host(host), place);
    match user.code {
        // the organisation's own server, where the token does not go
        SoapCode::RedirectUrl => by_host(&host_of(user.redirect.as_deref()?)?).filter(|hosting| hosting.cloud().is_none()),
        SoapCode::NoError => {
            let connections = CONNECTIONS.iter().flat_map(|name| user.connections(name));
            let hosts = connections.filter_map(|connection| connection.hostname.clone());
            let by_hosts = user.text("ExternalEwsUrl").and_then(host_of).into_iter().chain(hosts).find_map(|host| by_host(&host));
            let of_service = || match &lookup.request {
                Request::Http { url, .. } => host_of(url).and_then(|host| exchange_cloud(&host)),
                _ => None,
            };
            match user.microsoft_online() {
                Some(true) => {
                    let cloud = by_hosts.and_then(Hosting::cloud).or_else(of_service).unwrap_or_default();
                    Some(Hosting::ExchangeOnline(cloud))
                }
                Some(false) => Some(by_hosts.filter(|hosting| hosting.cloud().is_none()).unwrap_or(Hosting::OnPremises)),
                None => by_hosts,
            }
        }
        _ => None,
    }
}

/// A mailbox's share of a batch.
fn share<'a>(address: &Address, answers: &'a Answers) -> Option<(&'a Lookup, &'a Reading)> {
    let is_own = |lookup: &&Lookup| match &lookup.request {
        Request::Http { message: Message::UserSettings { addresses }, .. } => addresses.as_slice() == std::slice::from_ref(address),
        _ => false,
    };
    let lookup = answers.lookups.iter().find(is_own)?;
    Some((lookup, answers.readings.get(&lookup.request)?))
}

fn user_of(reading: &Reading) -> Option<&UserAnswer> {
    match &reading.document {
        Document::UserSettings(answer) => match &**answer {
            SoapAnswer::Settings(settings) => settings.users.first()?.as_ref(),
            SoapAnswer::Fault(_) => None,
        },
        _ => None,
    }
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// By what mailboxes of a domain are told apart: what each was told, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) digest: [u8; 32],
    /// Whether everything that was asked has an answer.
    pub(super) is_told: bool,
}

/// The signature of what a mailbox was told. By meaning: texts that servers make up anew for each request are no part of it.
pub(super) fn signature(endpoints: &EndpointTable, case: &Case<'_>, (answers, suggestion): (&Answers, &str)) -> Signature {
    let address = &case.subject.address;
    let mut hash = Sha256::new();
    let way = settle_v2(&answers.readings, address, V2Protocol::ActiveSync);
    for reading in way.chain.iter().filter_map(|lookup| answers.readings.get(&lookup.request)) {
        put(&mut hash, &meaning(reading, address));
    }
    let mut is_told = !matches!(way.end, Some(V2End::Nothing(AnswerOutcome::Failed, _)));
    is_told |= hosting_by_v2(endpoints, case, &answers.readings).is_some();
    if let Some((lookup, reading)) = share(address, answers) {
        let is_open = user_of(reading).is_some_and(|user| user.code.is_passing()) || reading.outcome == AnswerOutcome::Failed;
        is_told &= !is_open;
        put(&mut hash, &format!("{:?} {is_open}", hosting_by_settings(endpoints, case, (lookup, reading))));
    }
    // what AutoDetect says is in the suggestion
    let accounts = Accounts { autodetect: None, ..accounts(address, answers) };
    put(&mut hash, &accounts.personal_account().unwrap_or_default());
    put(&mut hash, suggestion);
    Signature { digest: hash.finalize().into(), is_told }
}

/// What an answer of Autodiscover v2 means to a client.
fn meaning(reading: &Reading, address: &Address) -> String {
    let plain = |url: &str| neutralise(url.split('?').next().unwrap_or_default(), address);
    match v2_of(reading) {
        Some(AutodiscoverV2::Endpoint(endpoint)) => format!("endpoint {}", plain(&endpoint.url)),
        Some(AutodiscoverV2::Redirect { url, .. }) => format!("redirect {}", plain(url)),
        Some(AutodiscoverV2::Refused(refusal)) => format!("refused {} {:?}", refusal.status, refusal.code),
        None => reading.outcome.as_str().to_owned(),
    }
}

fn lookup(kind: LookupKind, url: String, message: Message) -> Lookup {
    let request = Request::Http { url, message };
    Lookup { kind, asked: request.asked(), request }
}

fn openid(domain: &Domain) -> Lookup {
    lookup(LookupKind::Openid, wire::openid_url(SIGN_IN, domain), Message::Get { address: None })
}

fn realm(domain: &Domain) -> Lookup {
    let postmaster = Address::postmaster(domain);
    lookup(LookupKind::Realm, wire::realm_url(SIGN_IN, &postmaster), Message::Get { address: Some(postmaster) })
}

fn credential_type(address: &Address) -> Lookup {
    lookup(LookupKind::CredentialType, CREDENTIAL_TYPE_URL.to_owned(), Message::CredentialType { address: address.clone() })
}

/// What AutoDetect is asked about a mailbox.
pub(super) fn detection(address: &Address) -> Lookup {
    lookup(LookupKind::Autodetect, AUTODETECT_URL.to_owned(), Message::Detect { address: address.clone() })
}

/// What is kept of an answer about an account: what counts, as the rest is new each time.
pub(super) fn credential_body(answer: &CredentialType) -> Option<String> {
    let (result, throttle) = match answer.existence {
        Existence::Work => (0, 0),
        Existence::Nowhere => (1, 0),
        Existence::Throttled => (2, 1),
        Existence::Failed => (4, 0),
        Existence::Personal => (5, 0),
        Existence::Both => (6, 0),
        Existence::Unknown(number) => (number, 0),
    };
    serde_json::to_string(&serde_json::json!({ "IfExistsResult": result, "ThrottleStatus": throttle })).ok()
}

/// Where a cloud is asked for the settings of its mailboxes.
pub(super) fn settings_url(cloud: Cloud) -> String {
    let host = match cloud {
        Cloud::Worldwide => "autodiscover-s.outlook.com",
        Cloud::UsGovernment => "autodiscover-s.office365.us",
        Cloud::UsDod => "autodiscover-s-dod.office365.us",
        Cloud::China => "autodiscover-s.partner.outlook.cn",
        Cloud::France => "autodiscover-s.outlook.sovcloud.fr",
        Cloud::Germany => "autodiscover-s.outlook.sovcloud.de",
    };
    format!("https://{host}/autodiscover/autodiscover.svc")
}

/// What is asked beside the clients.
const KINDS: [LookupKind; 5] =
    [LookupKind::AutodiscoverV2, LookupKind::AutodiscoverSoap, LookupKind::Openid, LookupKind::Realm, LookupKind::CredentialType];
const SIGN_IN: &str = "login.microsoftonline.com";
const CREDENTIAL_TYPE_URL: &str = "https://login.microsoftonline.com/common/GetCredentialType";
const CANARY: &str = "no-such-mailbox-";
const CONNECTIONS: [&str; 3] = ["ExternalImap4Connections", "ExternalPop3Connections", "ExternalSmtpConnections"];

#[cfg(test)]
mod tests;
