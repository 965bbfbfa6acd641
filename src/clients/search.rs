//! One client's search over the answers: its sources in rank order, the first usable one wins, what stood in the way is kept.

use super::{
    autodetect, autodiscover, built_in,
    dialect::{Refusal, accept_autoconfig, is_decided_by_id, is_success, takes_empty, takes_other},
    fairemail::Contest,
    guess, jmap, pacc,
    row::{Client, Dialect, MxOrder, OnFailure, Onward, Step},
    srv,
};
use crate::model::{
    AnswerOutcome, Assumption, Discovery, Document, HttpDocument, Lookup, LookupKind, Obstacle, Reading, Readings, Reply, Request, Search,
    Settings, Subject, Trouble, Way, Win, is_xml_content_type,
};

/// What the client would end with, given these answers and an assumption. Lookups that have no answer yet come out as
/// `missing`: ask them, and search again. All sources are looked at, beyond the winner too, so that the evidence is whole.
#[must_use]
pub fn search(client: &Client, subject: &Subject, readings: &Readings, assumption: Assumption<'_>) -> Search {
    let discovery = Discovery { seeks: client.protocols.clone(), ..Discovery::default() };
    let mut trail = Trail { readings, assumption, missing: Vec::new(), discovery, closed: false, ended: false, last: None };
    let mx = find_mx(&mut trail, client, subject);
    let mut contest = Contest::of(client, subject);
    let together = |one: &Step, next: &Step| client.mx_order == MxOrder::NameByName && one.is_of_mx() && next.is_of_mx();
    for group in client.steps.chunk_by(together) {
        contest.begin(&mut trail, group);
        search_group(&mut trail, (client, group), subject, &mx);
        contest.note(&mut trail, group);
    }
    contest.end(&mut trail);
    contest.settle(&mut trail);
    Search { missing: trail.missing, discovery: trail.discovery }
}

fn search_group(trail: &mut Trail<'_>, (client, group): (&Client, &[Step]), subject: &Subject, mx: &MxState) {
    let domain = subject.address.domain();
    match group {
        _ if trail.ended => {}
        [step, ..] if step.last_resort && (trail.is_waiting() || trail.discovery.win.is_some()) => {}
        // what has ended goes on only where it runs beside
        [step] if trail.closed && step.urls.is_empty() && !step.beside => {}
        [step] if step.lookup == LookupKind::BuiltIn => built_in::search(trail, step, (domain, mx)),
        [step] if step.lookup == LookupKind::Guess => guess::search(trail, step, (domain, mx.host())),
        [step] if step.lookup == LookupKind::Srv => srv::search(trail, (client, step), subject),
        [step] if is_autodiscover(step.lookup) => autodiscover::search(trail, &autodiscover::Seeker { client, step }, subject),
        [step] if step.lookup == LookupKind::Autodetect => autodetect::search(trail, subject),
        [step] if step.lookup == LookupKind::Pacc => pacc::search(trail, subject),
        [step] if step.lookup == LookupKind::Jmap => jmap::search(trail, subject),
        [step] if !step.is_of_mx() => search_documents(trail, client, step, &Circumstance { subject, mx: None }),
        steps => search_by_mx(trail, (client, steps), subject, mx),
    }
}

fn is_autodiscover(lookup: LookupKind) -> bool {
    matches!(lookup, LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync | LookupKind::AutodiscoverV2)
}

/// The search so far.
pub(super) struct Trail<'a> {
    readings: &'a Readings,
    assumption: Assumption<'a>,
    missing: Vec<Lookup>,
    pub(super) discovery: Discovery,
    /// The client looks at no further documents of the autoconfig kind.
    closed: bool,
    /// The client looks at nothing further: it has configured what nobody can have.
    ended: bool,
    /// What was asked last.
    last: Option<Request>,
}

impl<'a> Trail<'a> {
    /// The reading of a lookup; `None` where it is missing or assumed lost.
    pub(super) fn ask(&mut self, lookup: &Lookup) -> Option<&'a Reading> {
        if !self.discovery.lookups.contains(lookup) {
            self.discovery.lookups.push(lookup.clone());
        }
        self.last = Some(lookup.request.clone());
        if self.is_lost(lookup) {
            return None;
        }
        let reading = self.readings.get(&lookup.request);
        if reading.is_none() && !self.missing.contains(lookup) {
            self.missing.push(lookup.clone());
        }
        reading
    }

    /// The reading of a request that has been asked in this search, without asking.
    pub(super) fn reading(&self, request: &Request) -> Option<&'a Reading> {
        self.readings.get(request)
    }

    /// Keeps a lookup that nothing is asked for.
    pub(super) fn note(&mut self, lookup: &Lookup) {
        self.discovery.lookups.push(lookup.clone());
    }

    /// Whether an answer is missing that could find something.
    pub(super) fn is_waiting(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Whether something is assumed lost.
    pub(super) fn assumes_loss(&self) -> bool {
        !self.assumption.lost.is_empty()
    }

    /// The client looks for nothing more after the lookup that was asked last, but for what runs beside.
    pub(super) fn close(&mut self) {
        if !self.closed && self.discovery.win.is_none() {
            self.discovery.stopped_at.clone_from(&self.last);
        }
        self.closed = true;
    }

    /// Asks ahead: the lookup does not count, as the client has made up its mind before.
    pub(super) fn pass_over(&mut self, lookup: &Lookup) {
        if self.ask(lookup).is_some() {
            self.discovery.idle.push(lookup.request.clone());
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_lost(&self, lookup: &Lookup) -> bool {
        self.assumption.lost.contains(&lookup.request)
    }

    /// Records a lookup that did not help, where the winner is not known yet: it could have won, had it not failed.
    pub(super) fn record(&mut self, lookup: &Lookup, outcome: AnswerOutcome, why: &str) {
        if self.discovery.win.is_some() {
            return;
        }
        let list = match outcome {
            AnswerOutcome::Failed => &mut self.discovery.doubts,
            AnswerOutcome::Invalid => &mut self.discovery.faults,
            AnswerOutcome::Found | AnswerOutcome::Absent | AnswerOutcome::Guarded => return,
        };
        list.push(Trouble { lookup: lookup.clone(), why: why.to_owned() });
    }

    /// Records it where that has not been done before.
    pub(super) fn record_once(&mut self, lookup: &Lookup, outcome: AnswerOutcome, why: &str) {
        if self.discovery.doubts.iter().all(|doubt| doubt.lookup != *lookup) {
            self.record(lookup, outcome, why);
        }
    }

    /// Sets the winner; a later one changes nothing.
    pub(super) fn win(&mut self, win: Win) {
        self.discovery.win.get_or_insert(win);
    }
}

/// How an HTTP answer stands with a client that takes the first success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Success {
    /// A body to read.
    Body,
    /// A success with nothing to read: it ends the search of its group.
    Bare,
    /// No success: the next URL is tried.
    None,
}

/// Whether an answer is an HTTP success to a client. For Thunderbird's `FetchHTTP` 200 to 299, but not an empty body of XML type, nor
/// `text/rdf`, which it takes for XML and the platform does not parse (153.7 ESR, executed).
pub(super) fn success(dialect: Dialect, reply: &Reply) -> Success {
    match reply {
        Reply::Document(document) if dialect.is_thunderbird() && is_rdf(document) => Success::None,
        Reply::Document(document) if is_success(dialect, document.status) => Success::Body,
        Reply::Obstacle(Obstacle::Empty { content_type, .. }) if dialect.is_thunderbird() && is_xml_content_type(content_type) => {
            Success::None
        }
        Reply::Obstacle(Obstacle::Empty { status, .. }) if is_success(dialect, *status) => Success::Bare,
        _ => Success::None,
    }
}

/// Whether a document is served as `text/rdf`.
pub(super) fn is_rdf(document: &HttpDocument) -> bool {
    document.content_type.starts_with("text/rdf")
}

struct Circumstance<'a> {
    subject: &'a Subject,
    /// A name that the MX was reduced to.
    mx: Option<MxName<'a>>,
}

#[derive(Clone, Copy)]
struct MxName<'a> {
    host: &'a str,
    name: &'a str,
    /// A name other than the host was asked about before.
    later: bool,
}

/// Goes through the names of the MX, with all of the steps for each.
fn search_by_mx(trail: &mut Trail<'_>, (client, steps): (&Client, &[Step]), subject: &Subject, mx: &MxState) {
    match mx {
        MxState::Known { host, names, .. } => {
            for (at, name) in names.iter().enumerate() {
                let later = names.iter().take(at).any(|before| before != host && before != name);
                for step in steps {
                    search_documents(trail, client, step, &Circumstance { subject, mx: Some(MxName { host, name, later }) });
                }
            }
        }
        MxState::Trouble(lookup, why) => {
            if !trail.closed {
                trail.record_once(lookup, AnswerOutcome::Failed, why);
            }
        }
        MxState::Nothing => {}
    }
}

fn search_documents(trail: &mut Trail<'_>, client: &Client, step: &Step, circumstance: &Circumstance<'_>) {
    let mut decided = false;
    for url in &step.urls {
        let Some(lookup) = url.lookup(step.lookup, circumstance.subject, circumstance.mx.map(|mx| mx.name)) else { continue };
        if decided || trail.closed {
            trail.pass_over(&lookup);
            continue;
        }
        let Some(reading) = trail.ask(&lookup) else {
            // what is assumed lost failed in passing
            if trail.is_lost(&lookup) && step.on_failure == OnFailure::StopUnlessNotFound {
                trail.close();
            }
            continue;
        };
        match judge(client, step, reading) {
            Found::Settings(settings, provider_id) => {
                let by_id = is_decided_by_id(client.dialect, provider_id.as_deref());
                let way = if by_id { Way::ProviderId } else { way(step, &lookup, circumstance.mx) };
                let requests = vec![lookup.request.clone()];
                let provider_id = provider_id.map(|id| id.to_lowercase());
                trail.win(Win { lookup, requests, way, settings, provider_id, beside: None, guarded: None });
                decided = true;
            }
            Found::Trouble(outcome, why, onward) => {
                trail.record(&lookup, outcome, &why);
                decided = onward == Goes::ToNextStep;
                if matches!(onward, Goes::Nowhere | Goes::Configures) {
                    trail.close();
                }
                trail.ended |= onward == Goes::Configures;
            }
        }
    }
}

/// What a client makes of an answer.
enum Found {
    /// The servers, and `emailProvider@id` as it is written.
    Settings(Settings, Option<String>),
    Trouble(AnswerOutcome, String, Goes),
}

/// Where a search for documents goes from an answer that is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    ToNextUrl,
    ToNextStep,
    Nowhere,
    /// What runs beside is not gone to either.
    Configures,
}

fn judge(client: &Client, step: &Step, reading: &Reading) -> Found {
    let reply = &reading.answer.reply;
    let goes = match (success(client.dialect, reply), step.on_unusable, step.on_failure) {
        (Success::None, _, OnFailure::StopUnlessNotFound) if *reply != NOT_FOUND => Goes::Nowhere,
        (Success::None, ..) | (_, Onward::NextUrl, _) => Goes::ToNextUrl,
        (_, Onward::NextStep, _) => Goes::ToNextStep,
        (_, Onward::Stop, _) => Goes::Nowhere,
    };
    if takes_other(client.dialect, &reading.document, success(client.dialect, reply)) {
        return Found::Trouble(AnswerOutcome::Invalid, format!("{}, which ends this client's search", reading.detail), Goes::Nowhere);
    }
    if let Document::Autoconfig(document) = &reading.document
        && (reading.outcome == AnswerOutcome::Found || takes_empty(client.dialect, document))
    {
        return match accept_autoconfig(client, document, &reading.answer.reply) {
            Ok(settings) => Found::Settings(settings, document.provider_id.clone()),
            Err(Refusal::Unusable(why)) => Found::Trouble(AnswerOutcome::Invalid, why, goes),
            Err(Refusal::Taken(why)) => Found::Trouble(AnswerOutcome::Invalid, why, Goes::Nowhere),
            Err(Refusal::Configured(why)) => Found::Trouble(AnswerOutcome::Invalid, why, Goes::Configures),
        };
    }
    let outcome = match reading.outcome {
        // the database is known to be well: what stands in its place is on our way to it (a portal, a filter, an inspecting proxy
        // whose authority we do not know)
        AnswerOutcome::Invalid | AnswerOutcome::Guarded if step.is_database() => AnswerOutcome::Failed,
        // credentials are of no use here: to the client it is a failure
        AnswerOutcome::Guarded => AnswerOutcome::Invalid,
        _ if goes != Goes::ToNextUrl && success(client.dialect, reply) != Success::None => AnswerOutcome::Invalid,
        outcome => outcome,
    };
    Found::Trouble(outcome, reading.detail.clone(), goes)
}

fn way(step: &Step, lookup: &Lookup, mx: Option<MxName<'_>>) -> Way {
    match mx {
        Some(MxName { host, name, later }) => {
            Way::Mx { host: host.to_owned(), key: name.to_owned(), after_parent: later, database: step.is_database() }
        }
        None if step.lookup == LookupKind::Ispdb => Way::Database,
        None => Way::Own { well_known: lookup.asked.contains("/.well-known/autoconfig/") },
    }
}

/// What is known of the MX.
pub(super) enum MxState {
    Known {
        /// The one that the client takes.
        host: String,
        /// Every one, as the resolver lists them.
        all: Vec<String>,
        /// What the client reduces the host to.
        names: Vec<String>,
    },
    Trouble(Lookup, String),
    Nothing,
}

impl MxState {
    fn host(&self) -> Option<&str> {
        if let Self::Known { host, .. } = self { Some(host) } else { None }
    }
}

/// The MX host that the client takes of those that it can take, with the names that it reduces to.
fn find_mx(trail: &mut Trail<'_>, client: &Client, subject: &Subject) -> MxState {
    if !client.needs_mx() {
        return MxState::Nothing;
    }
    let domain = subject.address.domain();
    let request = Request::Mx { domain: domain.clone() };
    let lookup = Lookup { kind: LookupKind::Mx, asked: request.asked(), request };
    let Some(reading) = trail.ask(&lookup) else { return MxState::Nothing };
    let Reply::Mx(records) = &reading.answer.reply else {
        return if reading.outcome == AnswerOutcome::Failed { MxState::Trouble(lookup, reading.detail.clone()) } else { MxState::Nothing };
    };
    let equal = client.eligible_mx(records);
    trail.discovery.equal_mx = equal.len();
    let chosen = equal.get(trail.assumption.mx).or_else(|| equal.first());
    let all = records.iter().map(|record| record.exchange.clone()).collect();
    let names = |host: &str| client.mx.map_or_else(Vec::new, |reduction| reduction.names(host, domain.as_str()));
    chosen.map_or(MxState::Nothing, |host| MxState::Known { host: (*host).to_owned(), all, names: names(host) })
}

const NOT_FOUND: Reply = Reply::Obstacle(Obstacle::NotThere { status: 404 });
