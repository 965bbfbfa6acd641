//! What an Autodiscover endpoint answers to a phone (MS-ASCMD section 2.2.1.1). HTTP redirects are followed by hand, to https alone
//! (MS-OXDISCO section 3.1.5); a 451 names the server itself, or where to ask again (MS-ASHTTP section 3.1.5.2.2).

use url::Url;

use super::{
    autodiscover::{Found, Hunt, Seeker, guarded},
    pox::follow_address,
    row::Redirect,
    search::Trail,
    v2::{discreet, host_of},
};
use crate::model::{
    AnswerOutcome, Document, EMAIL_ADDRESS, Lookup, LookupKind, Message, MobileSyncAction, Protocol, Reading, Reply, Request, Security,
    Server, Settings, Subject,
};

pub(super) fn question(url: &str, subject: &Subject) -> Lookup {
    let address = subject.address_for_autodiscover(&host_of(url));
    let request = Request::Http { url: discreet(url, subject), message: Message::Mobilesync { address } };
    Lookup { kind: LookupKind::AutodiscoverMobilesync, asked: request.asked(), request }
}

pub(super) fn ask(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (lookup, hunt): (&Lookup, &Hunt)) -> Found {
    let (mut lookup, mut hunt) = (lookup.clone(), hunt.clone());
    let mut seen = Vec::new();
    loop {
        let Some(reading) = trail.ask(&lookup) else { return Found::Nothing };
        let Document::Elsewhere(url) = &reading.document else { return read(trail, seeker, (&lookup, &hunt), reading) };
        if is_moved(reading) && !leads_to_autodiscover(url) {
            return accept(trail, (&lookup, &Hunt { redirected: true, ..hunt }), url);
        }
        seen.push(lookup.request.clone());
        let next = question(url, &hunt.subject);
        if seen.contains(&next.request) {
            trail.record(&lookup, AnswerOutcome::Invalid, "the redirects go in a circle");
            return Found::Nothing;
        }
        if seen.len() > MOST_REDIRECTS {
            trail.record(&lookup, AnswerOutcome::Failed, "more than 5 redirects");
            return Found::Nothing;
        }
        lookup = next;
        hunt.redirected |= is_moved(reading);
    }
}

/// What is no redirect of HTTP's.
fn read(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (lookup, hunt): (&Lookup, &Hunt), reading: &Reading) -> Found {
    let Request::Http { url, .. } = &lookup.request else { return Found::Nothing };
    if reading.outcome == AnswerOutcome::Guarded {
        let guarded = guarded(reading, host_of(url), Protocol::ActiveSync);
        return Found::Win(Box::new(hunt.win(lookup, Settings::default(), Some(guarded))));
    }
    let Document::MobileSync(document) = &reading.document else {
        trail.record(lookup, reading.outcome, &reading.detail);
        return Found::Nothing;
    };
    if let MobileSyncAction::Redirect(target) = &document.action {
        let why = match hunt.onward() {
            Some(onward) if seeker.step.follow.contains(&Redirect::Address) => {
                return follow_address(trail, seeker, (lookup, hunt, onward), target);
            }
            Some(_) => "it redirects in a way that this client does not follow",
            None => "it redirects more often than the client follows",
        };
        trail.record(lookup, AnswerOutcome::Invalid, why);
        return Found::Dead;
    }
    if let Some(endpoint) = document.endpoint().filter(|_| reading.outcome == AnswerOutcome::Found) {
        return accept(trail, (lookup, hunt), endpoint);
    }
    hunt.record(trail, (lookup, reading), &host_of(url));
    Found::Dead
}

/// The server that a URL names.
fn accept(trail: &mut Trail<'_>, (lookup, hunt): (&Lookup, &Hunt), endpoint: &str) -> Found {
    let Some(server) = web_server(Protocol::ActiveSync, endpoint) else {
        trail.record(lookup, AnswerOutcome::Invalid, "what it names is no web address");
        return Found::Dead;
    };
    let settings = Settings { incoming: vec![server], outgoing: Vec::new() };
    Found::Win(Box::new(hunt.win(lookup, settings, None)))
}

/// The server of an `http` or `https` URL.
pub(super) fn web_server(protocol: Protocol, url: &str) -> Option<Server> {
    let url = Url::parse(url.trim()).ok()?;
    let security = match url.scheme() {
        "https" => Security::Tls,
        "http" => Security::Plain,
        _ => return None,
    };
    let (host, port) = (url.host_str()?.trim_end_matches('.').to_lowercase(), url.port_or_known_default()?);
    Some(Server { protocol, host, port, security, auth: Vec::new(), username: EMAIL_ADDRESS.to_owned(), class: None })
}

fn is_moved(reading: &Reading) -> bool {
    matches!(&reading.answer.reply, Reply::Document(document) if document.status == 451)
}

fn leads_to_autodiscover(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.path().to_ascii_lowercase().contains("/autodiscover/"))
}

const MOST_REDIRECTS: usize = 5;
