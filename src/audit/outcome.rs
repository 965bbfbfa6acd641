//! From the answers to the outcome: every client's verdict for mailboxes of one profile. Pure.

use super::{
    Answers, Auditor,
    course::{Course, courses},
    facts::{accounts, testimony},
};
use crate::{
    classify::{EndpointTable, Judgement, Residence, judge},
    clients::{Client, Standing},
    model::{
        Address, Cause, Claim, ClientOutcome, Discovery, Document, EMAIL_ADDRESS, EMAIL_ADDRESS_IN_URL, EMAIL_LOCAL_PART, Hosting, Next,
        Outcome, Profile, Protocol, Protocols, Server, Settings, Subject, Tenant, Trouble, Verdict, Way,
    },
};

/// The mailboxes that an outcome is for.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Their tenant.
    pub tenant: &'a Tenant,
    /// What of them the verdict depends on.
    pub profile: &'a Profile,
    /// The one that was asked about.
    pub subject: &'a Subject,
}

/// How one client came to its verdict: the course that the verdict is about.
#[derive(Debug, Clone)]
pub struct Account {
    /// What it ends with.
    pub discovery: Discovery,
    /// What it would end with, had the winner's lookups come to nothing; `None` where there is no winner.
    pub next: Option<Discovery>,
    /// Which of the MX that it can take it takes, from 0.
    pub mx: usize,
}

impl Auditor {
    /// How a client comes to the verdict that [`Auditor::judge`] has for it.
    #[must_use]
    pub fn account(&self, client: &Client, case: &Case<'_>, answers: &Answers) -> Account {
        let residence = residence(case, answers, testimony(&self.endpoints, case, answers).home().hosting);
        let courses = courses(client, case.subject, &answers.readings);
        let verdicts: Vec<Verdict> = courses.iter().map(|course| judge(&self.endpoints, &residence, &course.discovery).verdict).collect();
        let gravest = verdicts.iter().max();
        let mx = verdicts.iter().position(|verdict| Some(verdict) == gravest).unwrap_or_default();
        let Course { discovery, next } = courses.into_iter().nth(mx).unwrap_or_default();
        Account { discovery, next, mx }
    }

    /// Judges the answers for a case. The texts of the outcome hold placeholders instead of the subject's address, so that it
    /// serves all mailboxes of the domain.
    #[must_use]
    pub fn judge(&self, clients: &[&Client], case: &Case<'_>, answers: &Answers) -> Outcome {
        let courses: Vec<Vec<Course>> = clients.iter().map(|client| courses(client, case.subject, &answers.readings)).collect();
        self.judge_courses(clients, case, (answers, &courses))
    }

    /// The same, where the clients' courses under these answers are known: they depend on the subject alone.
    pub(super) fn judge_courses(&self, clients: &[&Client], case: &Case<'_>, found: (&Answers, &[Vec<Course>])) -> Outcome {
        Bench { endpoints: &self.endpoints }.judge_courses(clients, case, found)
    }
}

/// Where verdicts are made: no network is needed for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    /// Which host belongs where.
    pub(super) endpoints: &'a EndpointTable,
}

impl Bench<'_> {
    /// As [`Auditor::judge_courses`].
    pub(super) fn judge_courses(self, clients: &[&Client], case: &Case<'_>, (answers, courses): (&Answers, &[Vec<Course>])) -> Outcome {
        let home = testimony(self.endpoints, case, answers).home();
        let residence = residence(case, answers, home.hosting);
        let audited = case.profile.clients.as_ref().unwrap_or(&case.tenant.clients);
        let clients: Vec<ClientOutcome> = clients
            .iter()
            .zip(courses)
            .map(|(client, courses)| {
                let mut outcome = self.judge_client(client, &residence, (case.subject, answers, courses));
                outcome.audited = audited.contains(&client.name);
                outcome
            })
            .collect();
        let needs_manual_configuration = clients.iter().any(|client| needs_manual(client, case.profile.protocols));
        let neutral = |text: String| neutralise(&text, &case.subject.address);
        let personal_account = accounts(&case.subject.address, answers).personal_account();
        Outcome {
            hosting: home.hosting,
            authority: home.authority,
            hosting_conflict: home.conflict.into_iter().map(|claim| Claim { asked: claim.asked.map(neutral), ..claim }).collect(),
            personal_account: personal_account.map(neutral),
            variant: None,
            needs_manual_configuration,
            clients,
        }
    }

    fn judge_client(
        self,
        client: &Client,
        residence: &Residence<'_>,
        (subject, answers, courses): (&Subject, &Answers, &[Course]),
    ) -> ClientOutcome {
        let judge = |discovery: &Discovery| judge(self.endpoints, residence, discovery);
        let judged: Vec<(&Course, Judgement)> = courses.iter().map(|course| (course, judge(&course.discovery))).collect();
        let gravest = judged.iter().map(|(_, judgement)| judgement.verdict).max();
        let differ = judged.iter().any(|(_, judgement)| Some(judgement.verdict) != gravest);
        let nothing = Course::default();
        let chosen = judged.into_iter().find(|(_, judgement)| Some(judgement.verdict) == gravest);
        let (course, mut judgement) = chosen.unwrap_or_else(|| (&nothing, judge(&nothing.discovery)));
        if differ && judgement.verdict.is_finding() {
            judgement.cause = Some(Cause::MxSeveral);
            let several = if client.mx_any_preference {
                "MX are there, and the one that is listed first decides, whatever its preference"
            } else {
                "MX share the best preference, and the one that is taken decides"
            };
            judgement.explanation = format!("{} {several}. {}", courses.len(), judgement.explanation);
        }
        let next = course.next.as_ref().map(|discovery| (judge(discovery), discovery));
        compose(client, (&course.discovery, judgement), next, (subject, answers))
    }
}

fn residence<'a>(case: &Case<'a>, answers: &'a Answers, hosting: Hosting) -> Residence<'a> {
    Residence {
        address: &case.subject.address,
        hosting,
        allowed_hosts: &case.tenant.allowed_hosts,
        wildcard: answers.wildcard,
        protocols: case.profile.protocols,
        readings: &answers.readings,
    }
}

fn compose(
    client: &Client,
    (discovery, judgement): (&Discovery, Judgement),
    next: Option<(Judgement, &Discovery)>,
    (subject, answers): (&Subject, &Answers),
) -> ClientOutcome {
    let next = next.filter(|(judgement, _)| judgement.source.is_some());
    let fragile = judgement.verdict == Verdict::Ok && next.as_ref().is_some_and(|(next, _)| next.verdict.is_finding());
    let (mut cause, mut explanation) = (judgement.cause, judgement.explanation);
    let mut evidence = evidence(discovery, answers);
    if let (true, Some((after, of_next))) = (fragile, &next) {
        let by_parent = discovery.win.as_ref().is_some_and(|win| matches!(win.way, Way::Mx { .. }));
        cause = after.cause.map(|cause| if cause == Cause::MxLegacy && by_parent { Cause::MxBaseDomain } else { cause });
        explanation = format!("{explanation} It hangs by a thread: should that lookup fail, this happens: {}", after.explanation);
        evidence.extend(of_next.win.iter().filter_map(|win| evidence_line(&win.lookup, answers)));
    }
    let neutral = |text: &str| neutralise(text, &subject.address);
    let next = next.and_then(|(judgement, _)| {
        let source = judgement.source?;
        let source = crate::model::Source { asked: neutral(&source.asked), ..source };
        Some(Next { verdict: judgement.verdict, source, settings: neutralise_settings(judgement.settings, &subject.address) })
    });
    ClientOutcome {
        client: client.name.clone(),
        audited: client.standing == Standing::Audited,
        verdict: judgement.verdict,
        fragile,
        inferred: judgement.inferred,
        cause,
        affected: judgement.affected,
        explanation: neutral(&explanation),
        evidence: evidence.iter().map(|line| neutral(line)).collect(),
        source: judgement.source.map(|source| crate::model::Source { asked: neutral(&source.asked), ..source }),
        settings: neutralise_settings(judgement.settings, &subject.address),
        next,
    }
}

/// The lookups that decided, a line each: what was asked, what it came to, why.
fn evidence(discovery: &Discovery, answers: &Answers) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(win) = &discovery.win {
        if matches!(win.way, Way::Mx { .. }) {
            lines.extend(
                discovery
                    .lookups
                    .iter()
                    .find(|lookup| lookup.kind == crate::model::LookupKind::Mx)
                    .and_then(|mx| evidence_line(mx, answers)),
            );
        }
        for request in win.requests.iter().chain(win.beside.iter().flat_map(|beside| &beside.requests)) {
            let lookup = discovery.lookups.iter().find(|lookup| lookup.request == *request);
            lines.extend(lookup.and_then(|lookup| evidence_line(lookup, answers)));
        }
        if matches!(win.way, Way::Own { .. }) {
            let wildcard = answers.lookups.iter().find(|lookup| lookup.kind == crate::model::LookupKind::Wildcard && answers.wildcard);
            lines.extend(wildcard.and_then(|lookup| evidence_line(lookup, answers)));
        }
    }
    let trouble = |trouble: &Trouble| evidence_line(&trouble.lookup, answers).map(|line| add_reason(line, &trouble.why));
    lines.extend(discovery.doubts.iter().chain(&discovery.faults).filter_map(trouble));
    lines.truncate(MAX_EVIDENCE);
    lines
}

fn evidence_line(lookup: &crate::model::Lookup, answers: &Answers) -> Option<String> {
    let reading = answers.readings.get(&lookup.request)?;
    let mut line = lookup.asked.clone();
    for hop in reading.answer.hops.iter().skip(1) {
        // queries hold what servers like: session ids, addresses
        line = format!("{line} -> {}", hop.url.split('?').next().unwrap_or_default());
    }
    let mut detail = reading.detail.clone();
    if let Document::Pox(document) = &reading.document
        && let Some(address) = &document.redirect_address
    {
        // a mailbox's, and this is stored for all of the domain
        detail = detail.replace(address, &format!("of a mailbox at {}", address.rsplit('@').next().unwrap_or_default()));
    }
    Some(format!("{line}: {}: {detail}", reading.outcome))
}

fn add_reason(line: String, why: &str) -> String {
    if line.ends_with(why) { line } else { format!("{line}; {why}") }
}

/// An audited client, a finding, and a protocol that is switched on.
fn needs_manual(client: &ClientOutcome, protocols: Protocols) -> bool {
    // who cannot read mail needs nowhere to send it
    let counts = |protocol: Protocol| protocol != Protocol::Smtp || !client.settings.is_empty();
    let enabled = client.affected.iter().any(|protocol| protocols.is_enabled(*protocol) && counts(*protocol));
    client.audited && client.verdict.is_finding() && enabled
}

fn neutralise_settings(settings: Settings, address: &Address) -> Settings {
    let neutral = |servers: Vec<Server>| servers.into_iter().map(|server| neutralise_server(server, address)).collect();
    Settings { incoming: neutral(settings.incoming), outgoing: neutral(settings.outgoing) }
}

fn neutralise_server(mut server: Server, address: &Address) -> Server {
    let asked_about = [address.clone(), Address::postmaster(address.domain())];
    if asked_about.iter().any(|asked| server.username.eq_ignore_ascii_case(&asked.to_string())) {
        EMAIL_ADDRESS.clone_into(&mut server.username);
    } else if asked_about.iter().any(|asked| server.username == asked.local()) {
        EMAIL_LOCAL_PART.clone_into(&mut server.username);
    } else if let Some(domain) = server.username.strip_prefix(address.local()).filter(|rest| rest.starts_with('@')) {
        // the same name elsewhere, as where Autodiscover leads to a routing address
        server.username = format!("{EMAIL_LOCAL_PART}{domain}");
    }
    server
}

/// Puts the placeholder where the subject's address stands, plain or percent-encoded as whoever wrote it pleased.
pub(super) fn neutralise(text: &str, address: &Address) -> String {
    let address = address.to_string();
    let (mut neutral, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        if let Some((after, placeholder)) = strip_address(rest, &address) {
            neutral.push_str(placeholder);
            rest = after;
        } else {
            neutral.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    neutral
}

/// What follows the address that a text begins with, and the placeholder for the way in which it is written.
fn strip_address<'a>(text: &'a str, address: &str) -> Option<(&'a str, &'static str)> {
    let (mut at, mut placeholder) = (0, EMAIL_ADDRESS);
    for byte in address.bytes() {
        let code = text.get(at..at + 3).and_then(|code| u8::from_str_radix(code.strip_prefix('%')?, 16).ok());
        if code.is_some_and(|code| code.eq_ignore_ascii_case(&byte)) {
            (at, placeholder) = (at + 3, EMAIL_ADDRESS_IN_URL);
        } else if text.as_bytes().get(at)?.eq_ignore_ascii_case(&byte) {
            at += 1;
        } else {
            return None;
        }
    }
    Some((text.get(at..)?, placeholder))
}

const MAX_EVIDENCE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Security;

    fn address() -> Address {
        Address::parse("o'brien+x@contoso.com").unwrap()
    }

    #[test]
    fn only_a_protocol_that_is_switched_on_makes_work() {
        use Protocol::{ActiveSync, Exchange, Imap, Pop3, Smtp};
        let server = |protocol| Server {
            protocol,
            host: "mail.fabrikam.com".into(),
            port: 443,
            security: Security::Tls,
            auth: Vec::new(),
            username: String::new(),
            class: None,
        };
        let without_phones = Protocols { activesync: false, ..Protocols::default() };
        let without_mail = Protocols { imap: false, pop3: false, ..Protocols::default() };
        for (affected, settings, protocols, expected) in [
            (&[ActiveSync][..], None, Protocols::default(), true),
            (&[ActiveSync], None, without_phones, false),
            (&[ActiveSync], Some(ActiveSync), without_phones, false),
            (&[ActiveSync], None, without_mail, true),
            (&[Exchange], None, without_mail, true),
            (&[Imap, Pop3, Smtp], None, Protocols::default(), true),
            (&[Imap, Pop3, Smtp], None, without_mail, false),
            (&[Smtp], Some(Imap), without_mail, true),
        ] {
            let settings = Settings { incoming: settings.map(server).into_iter().collect(), outgoing: Vec::new() };
            let client = ClientOutcome { affected: affected.to_vec(), settings, ..ClientOutcome::bare("x", Verdict::NotFound) };
            assert_eq!(needs_manual(&client, protocols), expected, "{affected:?} {protocols:?}");
        }
    }

    #[test]
    fn what_a_server_was_told_comes_back_as_the_users_own_name() {
        for (told, kept) in [
            ("postmaster@contoso.com", "%EMAILADDRESS%"),
            ("O'Brien+x@Contoso.com", "%EMAILADDRESS%"),
            ("postmaster", "%EMAILLOCALPART%"),
            ("o'brien+x", "%EMAILLOCALPART%"),
            ("CONTOSO\\o'brien", "CONTOSO\\o'brien"),
        ] {
            let server = Server {
                protocol: Protocol::Imap,
                host: "imap.contoso.com".into(),
                port: 993,
                security: Security::Tls,
                auth: Vec::new(),
                username: told.into(),
                class: None,
            };
            assert_eq!(neutralise_server(server, &address()).username, kept, "{told}");
        }
    }

    #[test]
    fn the_address_is_found_in_every_way_to_write_it() {
        for (text, neutral) in [
            ("https://a.example/?e=o'brien%2Bx%40contoso.com&f=1", "https://a.example/?e=%EMAILADDRESS:URL%&f=1"),
            ("https://a.example/?e=o%27brien%2bx@contoso.com", "https://a.example/?e=%EMAILADDRESS:URL%"),
            ("the server says: 500 O'Brien+x@Contoso.com, who?", "the server says: 500 %EMAILADDRESS%, who?"),
            ("ü 100% of anna@contoso.com", "ü 100% of anna@contoso.com"),
            ("o'brien+x@contoso.co", "o'brien+x@contoso.co"),
        ] {
            assert_eq!(neutralise(text, &address()), neutral, "{text}");
        }
    }
}
