//! Autodiscover as mail clients search it (MS-OXDISCO section 3.1.5; Thunderbird's `ExchangeAutoDiscover.sys.mjs`): the ways to its
//! endpoints, one after the other. What an endpoint answers, `pox` and `mobilesync` say.

use std::collections::BTreeMap;

use super::{
    mobilesync, pox,
    row::{Client, Onward, Step, Way as Path},
    search::Trail,
    v2::{self, host_of},
};
use crate::model::{
    AnswerOutcome, Document, Domain, Guarded, Lookup, LookupKind, Protocol, Reading, Reply, Request, Server, Settings, SrvRecord, Subject,
    Way, Win,
};

/// Who searches.
#[derive(Clone, Copy)]
pub(super) struct Seeker<'a> {
    pub(super) client: &'a Client,
    pub(super) step: &'a Step,
}

/// Searches; what comes of it wins, or stands beside what was found before.
pub(super) fn search(trail: &mut Trail<'_>, seeker: &Seeker<'_>, subject: &Subject) {
    let Some(win) = search_ways(trail, seeker, &Hunt::new(seeker, subject)) else { return };
    match &mut trail.discovery.win {
        None => trail.win(win),
        Some(known) if seeker.step.beside => {
            let has = |protocol: Protocol| known.settings.incoming.iter().any(|server| server.protocol == protocol);
            let is_new = |server: &Server| matches!(server.protocol, Protocol::Exchange | Protocol::Ews) && !has(server.protocol);
            let incoming: Vec<Server> = win.settings.incoming.into_iter().filter(is_new).collect();
            if !incoming.is_empty() {
                let settings = Settings { incoming, outgoing: Vec::new() };
                known.beside = Some(Box::new(Win { settings, ..win }));
            }
        }
        Some(_) => {}
    }
}

/// The state of one search: for whom, and how many redirects inside documents may still be followed.
#[derive(Clone)]
pub(super) struct Hunt {
    pub(super) subject: Subject,
    pub(super) redirects_left: u8,
    pub(super) by_srv: bool,
    pub(super) redirected: bool,
}

impl Hunt {
    pub(super) fn new(seeker: &Seeker<'_>, subject: &Subject) -> Self {
        Self { subject: subject.clone(), redirects_left: seeker.step.most_redirects, by_srv: false, redirected: false }
    }

    /// The state after a redirect; `None` where no further one is followed.
    pub(super) fn onward(&self) -> Option<Self> {
        let redirects_left = self.redirects_left.checked_sub(1)?;
        Some(Self { redirects_left, redirected: true, ..self.clone() })
    }

    pub(super) fn win(&self, lookup: &Lookup, settings: Settings, guarded: Option<Guarded>) -> Win {
        Win {
            lookup: lookup.clone(),
            requests: vec![lookup.request.clone()],
            way: Way::Autodiscover { by_srv: self.by_srv, redirected: self.redirected },
            settings,
            provider_id: None,
            beside: None,
            guarded,
        }
    }

    /// Records an answer about the mailbox that is of no use. A stranger was asked about postmaster, and says nothing about it.
    pub(super) fn record(&self, trail: &mut Trail<'_>, (lookup, reading): (&Lookup, &Reading), host: &str) {
        let of_mailbox = self.subject.address_for_autodiscover(host) == self.subject.address;
        let outcome = if of_mailbox { reading.outcome } else { AnswerOutcome::Failed };
        let about = if of_mailbox { "" } else { " (a stranger, asked about postmaster, not about the mailbox)" };
        trail.record(lookup, outcome, &format!("{}{about}", reading.detail));
    }
}

/// What one endpoint came to.
pub(super) enum Found {
    Win(Box<Win>),
    /// It answered, and ends the search.
    Dead,
    Nothing,
}

/// The step's ways for the address of the hunt, one after the other.
pub(super) fn search_ways(trail: &mut Trail<'_>, seeker: &Seeker<'_>, hunt: &Hunt) -> Option<Win> {
    if seeker.step.lookup == LookupKind::AutodiscoverV2 {
        return v2::search(trail, seeker, hunt);
    }
    let mut found = Found::Nothing;
    for path in &seeker.step.ways {
        let is_open = |trail: &Trail<'_>, found: &Found| matches!(found, Found::Nothing) && (seeker.step.beside || !trail.is_closed());
        let open = is_open(trail, &found);
        for url in endpoints(trail, seeker, (*path, open), hunt.subject.address.domain()) {
            let hunt = Hunt { by_srv: hunt.by_srv || path.is_by_srv(), ..hunt.clone() };
            let is_phone = seeker.step.lookup == LookupKind::AutodiscoverMobilesync;
            let lookup = if is_phone { mobilesync::question(&url, &hunt.subject) } else { pox::question(seeker, &url, &hunt.subject) };
            if !is_open(trail, &found) {
                trail.pass_over(&lookup);
                continue;
            }
            let next = if is_phone { mobilesync::ask(trail, seeker, (&lookup, &hunt)) } else { pox::ask(trail, seeker, (&lookup, &hunt)) };
            if !matches!(next, Found::Dead) || seeker.step.on_unusable != Onward::NextUrl {
                found = next;
            }
        }
    }
    if let Found::Win(win) = found { Some(*win) } else { None }
}

/// The URLs that a way leads to, after what has to be asked to find them. What is in the way counts only while the search is open.
fn endpoints(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (path, open): (Path, bool), domain: &Domain) -> Vec<String> {
    match path {
        Path::AutodiscoverHost => vec![format!("https://autodiscover.{domain}{PATH}")],
        Path::RootHost => vec![format!("https://{domain}{PATH}")],
        Path::HttpPost => vec![format!("http://autodiscover.{domain}{PATH}")],
        Path::Http | Path::HttpRedirect => endpoint_by_http(trail, seeker, (path, open), domain).into_iter().collect(),
        Path::SrvLowestWeight | Path::Srv | Path::SrvAnyPort | Path::SrvInTurn => {
            let request = Request::Srv { name: format!("_autodiscover._tcp.{domain}") };
            let lookup = Lookup { kind: LookupKind::AutodiscoverSrv, asked: request.asked(), request };
            let Some(reading) = look(trail, &lookup, open) else { return Vec::new() };
            let Reply::Srv(records) = &reading.answer.reply else {
                if open {
                    trail.record(&lookup, reading.outcome, &reading.detail);
                }
                return Vec::new();
            };
            choose(path, records).into_iter().map(|record| format!("https://{}{PATH}", record.target)).collect()
        }
    }
}

fn endpoint_by_http(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (path, open): (Path, bool), domain: &Domain) -> Option<String> {
    let url = format!("http://autodiscover.{domain}{PATH}");
    let request = Request::Redirect { url: url.clone() };
    let lookup = Lookup { kind: seeker.step.lookup, asked: request.asked(), request };
    let reading = look(trail, &lookup, open)?;
    if let Reply::Redirect(target) = &reading.answer.reply {
        return Some(target.clone());
    }
    if open {
        trail.record(&lookup, reading.outcome, &reading.detail);
    }
    let answers = reading.answer.hops.last().and_then(|hop| hop.status).is_some_and(|status| (200..300).contains(&status));
    (answers && path == Path::Http).then_some(url)
}

/// The records that a way goes by, in its order.
fn choose(path: Path, records: &[SrvRecord]) -> Vec<&SrvRecord> {
    if path == Path::SrvLowestWeight {
        // a target of `.` is an empty name there, which ends the way, whatever other records say
        let lightest = records.iter().min_by_key(|record| record.weight);
        return lightest.filter(|record| !record.target.is_empty()).into_iter().collect();
    }
    if path == Path::SrvInTurn {
        let by_priority: BTreeMap<u16, &SrvRecord> = records.iter().map(|record| (record.priority, record)).collect();
        return by_priority.into_values().filter(|record| record.port == 443 && !record.target.is_empty()).collect();
    }
    let any_port = path == Path::SrvAnyPort;
    let usable = records.iter().filter(|record| (any_port || record.port == 443) && !record.target.is_empty());
    usable.min_by_key(|record| (record.priority, std::cmp::Reverse(record.weight))).into_iter().collect()
}

fn look<'a>(trail: &mut Trail<'a>, lookup: &Lookup, open: bool) -> Option<&'a Reading> {
    if !open {
        trail.pass_over(lookup);
    }
    trail.ask(lookup)
}

/// What answers only with credentials, and what it says of itself.
pub(super) fn guarded(reading: &Reading, host: String, protocol: Protocol) -> Guarded {
    let joined = matches!(&reading.document, Document::Capabilities(said) if said.is_microsoft_online());
    Guarded { host, protocol, joined }
}

/// The host that gave an answer, after redirects.
pub(super) fn final_host(reading: &Reading) -> String {
    reading.answer.hops.last().map(|hop| host_of(&hop.url)).unwrap_or_default()
}

const PATH: &str = "/autodiscover/autodiscover.xml";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clients::{ClientTable, search},
        model::{Address, Answer, Assumption, Discovery, Hop, HttpDocument, Obstacle, Readings, SrvRecord},
        wire::parse_pox,
    };

    fn discover(answers: Vec<(Request, Reply, Document)>) -> Discovery {
        discover_by(answers, &[])
    }

    fn discover_by(answers: Vec<(Request, Reply, Document)>, hops: &[Hop]) -> Discovery {
        let table = ClientTable::built_in().unwrap();
        let subject = Subject { address: Address::parse("anna@contoso.com").unwrap() };
        search(table.iter().next().unwrap(), &subject, &readings(answers, hops), Assumption::default()).discovery
    }

    fn readings(answers: Vec<(Request, Reply, Document)>, hops: &[Hop]) -> Readings {
        let mut readings = Readings::default();
        for (request, reply, document) in answers {
            let outcome = if let Reply::Obstacle(obstacle) = &reply { obstacle.outcome() } else { AnswerOutcome::Found };
            let hops = if matches!(request, Request::Redirect { .. }) { hops.to_vec() } else { Vec::new() };
            let answer = Answer { reply, hops, cnames: Vec::new(), attempts: 1, took_ms: 1 };
            let reading = Reading { answer: answer.into(), outcome, detail: String::new(), document };
            readings.insert(request, reading);
        }
        readings
    }

    fn answer_at(host: &str, inside: &str) -> (Request, Reply, Document) {
        let text = format!("<Autodiscover><Response><Account>{inside}</Account></Response></Autodiscover>");
        let document = HttpDocument { status: 200, content_type: "text/xml".to_owned(), body: text.as_bytes().into(), headers: Vec::new() };
        let address = Address::parse("anna@contoso.com").unwrap();
        let request = Request::Pox { url: format!("https://{host}{PATH}"), address };
        let pox = parse_pox(text.as_bytes(), "text/xml").unwrap();
        (request, Reply::Document(document), Document::Pox(Box::new(pox)))
    }

    /// The sort by weight is stable, and a target of `.` an empty name (thunderbird-desktop 9c91f3cbc5, 2026-01-15:
    /// `ExchangeAutoDiscover.sys.mjs`, `DNS.worker.mjs`).
    #[test]
    fn the_record_of_the_lowest_weight_is_taken_even_where_it_says_not_offered() {
        for (records, expected) in [
            (&[(0, "a.example"), (5, "b.example")][..], Some("a.example")),
            (&[(5, "a.example"), (0, "b.example")], Some("b.example")),
            (&[(5, "a.example"), (5, "b.example")], Some("a.example")),
            (&[(0, ""), (5, "b.example")], None),
            (&[(5, "b.example"), (0, "")], None),
            (&[(0, ""), (0, "b.example")], None),
            (&[(0, "b.example"), (0, "")], Some("b.example")),
            (&[(5, ""), (0, "b.example")], Some("b.example")),
        ] {
            let record =
                |(weight, target): &(u16, &str)| SrvRecord { priority: *weight, weight: *weight, port: 443, target: (*target).to_owned() };
            let request = Request::Srv { name: "_autodiscover._tcp.contoso.com".to_owned() };
            let discovery = discover(vec![(request, Reply::Srv(records.iter().map(record).collect()), Document::Nothing)]);
            let posted: Vec<&str> = discovery.lookups.iter().filter_map(|lookup| lookup.asked.strip_prefix("POST https://")).collect();
            let beyond: Vec<&str> = posted.into_iter().filter(|url| !url.contains("contoso.com/")).collect();
            assert_eq!(beyond, expected.map(|host| format!("{host}{PATH}")).into_iter().collect::<Vec<_>>(), "{records:?}");
        }
    }

    /// `url3` of `ExchangeAutoDiscover.sys.mjs`: its success counts like that of the others, and it carries no credentials.
    #[test]
    fn what_answers_in_clear_is_read_and_gets_no_credentials() {
        let (host, address) = ("autodiscover.contoso.com", Address::parse("anna@contoso.com").unwrap());
        let imap = "<Protocol><Type>IMAP</Type><Server>imap.contoso.com</Server><Port>993</Port></Protocol>";
        let (_, xml, document) = answer_at(host, imap);
        let page = Reply::Document(HttpDocument {
            status: 200,
            content_type: "text/html".to_owned(),
            body: b"<p>".as_slice().into(),
            headers: Vec::new(),
        });
        let obstacle = Reply::Obstacle;
        for (status, reply, document, found, asks_srv) in [
            (200, xml, document, true, false),
            (200, page, Document::Nothing, false, false),
            (200, obstacle(Obstacle::Rejected { status: 405 }), Document::Nothing, false, true),
            (
                200,
                obstacle(Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers: Vec::new() }),
                Document::Nothing,
                false,
                true,
            ),
            (404, obstacle(Obstacle::NotThere { status: 404 }), Document::Nothing, false, true),
        ] {
            let url = format!("http://{host}{PATH}");
            let srv = SrvRecord { priority: 0, weight: 0, port: 443, target: "srv.example".to_owned() };
            let (_, found_by_srv, other) = answer_at("srv.example", &imap.replace("contoso.com", "srv.example"));
            let answers = vec![
                (Request::Redirect { url: url.clone() }, obstacle(Obstacle::NoRedirect), Document::Nothing),
                (Request::Pox { url: url.clone(), address: address.clone() }, reply.clone(), document),
                (Request::Srv { name: "_autodiscover._tcp.contoso.com".to_owned() }, Reply::Srv(vec![srv]), Document::Nothing),
                (
                    Request::Pox { url: format!("https://srv.example{PATH}"), address: Address::postmaster(address.domain()) },
                    found_by_srv,
                    other,
                ),
            ];
            let discovery = discover_by(answers, &[Hop { url: url.clone(), status: Some(status), location: None }]);
            let posted = discovery.lookups.iter().any(|lookup| lookup.asked == format!("POST {url}"));
            assert_eq!(posted, status == 200, "{reply:?}");
            let host = discovery.win.map(|win| win.settings.incoming[0].host.clone());
            let expected = if found { Some("imap.contoso.com") } else { asks_srv.then_some("imap.srv.example") };
            assert_eq!(host.as_deref(), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_client_follows_the_redirects_of_its_row_and_no_more_of_them() {
        let row = |follow: &str| {
            format!(
                "[[client]]\nname='x'\ntitle='x'\nversions='x'\ndialect='tolerant'\nstanding='at-risk'\nsources=[]\n\
                 [[client.step]]\nsource='x'\nlookup='autodiscover-pox'\nways=['autodiscover-host']\n{follow}"
            )
        };
        let url = |host: &str| format!("<RedirectUrl>https://{host}{PATH}</RedirectUrl>");
        let imap = |host: &str| format!("<Protocol><Type>IMAP</Type><Server>{host}</Server><Port>993</Port></Protocol>");
        let (both, one) = ("follow=['address','url']\nmost_redirects=2", "follow=['url']\nmost_redirects=1");
        let to_address = "<RedirectAddr>anna@sub.contoso.com</RedirectAddr>";
        for (follow, first, expected) in [
            (both, url("a.contoso.com"), Some("two.example")),
            (both, format!("{}{to_address}", url("a.contoso.com")), Some("sub.example")),
            (one, format!("{}{to_address}", url("b.contoso.com")), Some("two.example")),
            (one, url("a.contoso.com"), None),
            (one, to_address.to_owned(), None),
            (one, format!("{to_address}{}", imap("zero.example")), Some("zero.example")),
            (both, url("autodiscover.contoso.com"), None),
            (both, url("a.contoso.com").replace("https", "http"), None),
            (both, "<RedirectAddr>ANNA@contoso.com</RedirectAddr>".to_owned(), None),
            (both, "<RedirectAddr>anna</RedirectAddr>".to_owned(), None),
            ("", url("b.contoso.com"), None),
        ] {
            let table = ClientTable::built_in().unwrap().with(&row(follow)).unwrap();
            let subject = Subject { address: Address::parse("anna@contoso.com").unwrap() };
            let (of_sub, reply, document) = answer_at("autodiscover.sub.contoso.com", &imap("sub.example"));
            let Request::Pox { url: of_sub, .. } = of_sub else { panic!() };
            let of_sub = Request::Pox { url: of_sub, address: Address::parse("anna@sub.contoso.com").unwrap() };
            let answers = vec![
                answer_at("autodiscover.contoso.com", &first),
                answer_at("a.contoso.com", &url("b.contoso.com")),
                answer_at("b.contoso.com", &imap("two.example")),
                (of_sub, reply, document),
            ];
            let found = search(table.iter().last().unwrap(), &subject, &readings(answers, &[]), Assumption::default());
            let host = found.discovery.win.map(|win| win.settings.incoming[0].host.clone());
            assert_eq!(host.as_deref(), expected, "{follow} {first}");
        }
    }

    /// Thunderbird 153.7.0 ESR, executed.
    #[test]
    fn thunderbird_has_no_eye_for_a_redirect_to_another_url() {
        let away = format!("<Action>redirectUrl</Action><RedirectUrl>https://autodiscover.contoso.com/2{PATH}</RedirectUrl>");
        let discovery = discover(vec![answer_at("autodiscover.contoso.com", &away)]);
        assert!(discovery.win.is_none());
        assert!(discovery.lookups.iter().all(|lookup| !lookup.asked.contains("/2/")), "{:?}", discovery.lookups);
        assert_eq!(discovery.faults.len(), 1);
        let beside = "<Protocol><Type>IMAP</Type><Server>imap.contoso.com</Server><Port>993</Port></Protocol>";
        let discovery = discover(vec![answer_at("autodiscover.contoso.com", &(away + beside))]);
        assert_eq!(discovery.win.unwrap().settings.incoming[0].host, "imap.contoso.com");
    }
}
