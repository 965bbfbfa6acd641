//! What an Autodiscover endpoint answers in the Outlook schema (MS-OXDSCLI). Redirects inside the document are followed by asking
//! again; a 401 means that the client would sign in there.

use super::{
    autodiscover::{Found, Hunt, Seeker, final_host, guarded, search_ways},
    dialect::{Refusal, accept_pox, redirect_address, takes_other},
    row::{Method, Redirect},
    search::{Success, Trail, success},
    v2::{discreet, host_of},
};
use crate::model::{AnswerOutcome, Document, Lookup, LookupKind, Pox, Protocol, Request, Settings, Subject, Win, exchange_cloud};

/// What the endpoint at a URL gives a client; for those that know the URL beforehand.
pub(super) fn search_at(trail: &mut Trail<'_>, seeker: &Seeker<'_>, url: &str, hunt: &Hunt) -> Option<Win> {
    let lookup = question(seeker, url, &hunt.subject);
    match ask(trail, seeker, (&lookup, hunt)) {
        Found::Win(win) => Some(*win),
        Found::Dead | Found::Nothing => None,
    }
}

pub(super) fn question(seeker: &Seeker<'_>, url: &str, subject: &Subject) -> Lookup {
    let url = discreet(url, subject);
    let request = match seeker.step.method {
        Method::Get => Request::Get { url, address: None },
        Method::Post | Method::PostWithPassword | Method::PostWithoutCredentials => {
            Request::Pox { address: subject.address_for_autodiscover(&host_of(&url)), url }
        }
    };
    Lookup { kind: LookupKind::AutodiscoverPox, asked: request.asked(), request }
}

pub(super) fn ask(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (lookup, hunt): (&Lookup, &Hunt)) -> Found {
    let Some(reading) = trail.ask(lookup) else { return Found::Nothing };
    if reading.outcome == AnswerOutcome::Guarded {
        let host = final_host(reading);
        let refusal = match seeker.step.method {
            Method::PostWithPassword if exchange_cloud(&host).is_some() => "it asks for a sign-in by OAuth2, and gets a password here",
            Method::Post | Method::PostWithPassword if !lookup.asked.starts_with(IN_CLEAR) => "",
            _ => "it asks for credentials, and gets none here",
        };
        if !refusal.is_empty() {
            trail.record(lookup, AnswerOutcome::Invalid, refusal);
            return Found::Nothing;
        }
        let guarded = guarded(reading, host, Protocol::Exchange);
        return Found::Win(Box::new(hunt.win(lookup, Settings::default(), Some(guarded))));
    }
    let success = success(seeker.client.dialect, &reading.answer.reply);
    if !seeker.step.beside && takes_other(seeker.client.dialect, &reading.document, success) {
        trail.record(lookup, AnswerOutcome::Invalid, &reading.detail);
        trail.close();
        return Found::Dead;
    }
    match success {
        Success::None => {
            trail.record(lookup, reading.outcome, &reading.detail);
            return Found::Nothing;
        }
        Success::Bare => {
            trail.record(lookup, AnswerOutcome::Invalid, &reading.detail);
            return Found::Dead;
        }
        Success::Body => {}
    }
    let Document::Pox(document) = &reading.document else {
        trail.record(lookup, AnswerOutcome::Invalid, &reading.detail);
        return Found::Dead;
    };
    if let Some(found) = follow(trail, seeker, (lookup, hunt), document) {
        return found;
    }
    if reading.outcome != AnswerOutcome::Found {
        hunt.record(trail, (lookup, reading), &final_host(reading));
        return Found::Dead;
    }
    match accept_pox(seeker.client, document, &reading.answer.reply) {
        Ok(settings) => Found::Win(Box::new(hunt.win(lookup, settings, None))),
        Err(Refusal::Unusable(why)) => {
            trail.record(lookup, AnswerOutcome::Invalid, &why);
            Found::Dead
        }
        Err(Refusal::Taken(why) | Refusal::Configured(why)) => {
            trail.record(lookup, AnswerOutcome::Invalid, &why);
            trail.close();
            Found::Dead
        }
    }
}

/// Follows the redirect that the client has an eye for; `None` where the document has none of that kind.
fn follow(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (lookup, hunt): (&Lookup, &Hunt), document: &Pox) -> Option<Found> {
    let refuse = |trail: &mut Trail<'_>, why: &str| {
        trail.record(lookup, AnswerOutcome::Invalid, why);
        Some(Found::Dead)
    };
    let has = |redirect: &Redirect| match redirect {
        Redirect::Url => document.redirect_url.as_deref(),
        Redirect::Address => document.redirect_address.as_deref(),
    };
    let Some((redirect, target)) = seeker.step.follow.iter().find_map(|redirect| Some((redirect, has(redirect)?))) else {
        let leads_away = document.redirect_url.is_some() || document.redirect_address.is_some();
        let alone = leads_away && document.protocols.is_empty();
        return if alone { refuse(trail, "it redirects in a way that this client does not follow") } else { None };
    };
    let Some(onward) = hunt.onward() else {
        return refuse(trail, "it redirects more often than the client follows");
    };
    match redirect {
        Redirect::Url if !target.to_ascii_lowercase().starts_with("https://") => {
            refuse(trail, "it redirects to something that is not https")
        }
        Redirect::Url => {
            let next = question(seeker, target, &hunt.subject);
            if next.request == lookup.request {
                refuse(trail, "it redirects to itself")
            } else {
                Some(ask(trail, seeker, (&next, &onward)))
            }
        }
        Redirect::Address => Some(follow_address(trail, seeker, (lookup, hunt, onward), target)),
    }
}

/// Begins the search again with another address.
pub(super) fn follow_address(
    trail: &mut Trail<'_>,
    seeker: &Seeker<'_>,
    (lookup, hunt, onward): (&Lookup, &Hunt, Hunt),
    target: &str,
) -> Found {
    let why = match redirect_address(seeker.client, target) {
        None => "it redirects to something that is no address",
        Some(address) if address.key() == hunt.subject.address.key() => "it redirects to the address that was asked about",
        Some(address) => {
            let win = search_ways(trail, seeker, &Hunt { subject: Subject { address }, ..onward });
            return win.map_or(Found::Dead, |win| Found::Win(Box::new(win)));
        }
    };
    trail.record(lookup, AnswerOutcome::Invalid, why);
    Found::Dead
}

const IN_CLEAR: &str = "POST http://";
