//! What is expected where a domain says nothing of a client: what Microsoft's services know decides for the clients that ask them first,
//! and what nobody publishes is found by nobody.

use autodiscover_audit::model::{Cause, Cloud, Hosting, Verdict};

use super::{
    WorldMailbox,
    builder::Builder,
    client::{ACTIVESYNC, AOSP, APPLE, JMAP, MAILCORE, MAILSPRING_365, OUTLOOK, OUTLOOK_NEW, PACC, SRV},
    expected::{
        EXCHANGE, EXCHANGE_US, EXO_PAIR, Expected, NONE, PHONE, PHONE_LIVE, PHONE_US, Should, WEB_LIVE, consumer, nothing, ok, unsure,
    },
};
use crate::fakenet::{
    microsoft::{Detected, Tenancy, V2},
    zone::Zones,
};

/// The clients that are spoken of here.
pub const CLIENTS: [&str; 9] = [SRV, AOSP, PACC, JMAP, ACTIVESYNC, OUTLOOK, OUTLOOK_NEW, APPLE, MAILSPRING_365];

/// What a client ends with; `None`: nothing follows from what is said here.
pub fn unsaid(world: &Builder, client: &'static str, (mailbox, hosting): (&WorldMailbox, Hosting)) -> Option<Should> {
    let address = mailbox.address();
    let domain = address.domain().as_str();
    let none = nothing(if !world.net.zones.has(domain) {
        Cause::NoSuchDomain
    } else if domain.ends_with(".onmicrosoft.com") {
        Cause::OnMicrosoftDomain
    } else {
        Cause::NothingPublished
    });
    let moved = mailbox.hosting.is_some_and(|own| own != hosting);
    let home = mailbox.hosting.unwrap_or(hosting);
    let tenancy = if moved { Tenancy::of(home) } else { world.net.microsoft.tenancy(&address.to_string()) };
    match client {
        SRV | AOSP | PACC | JMAP => Some(none),
        ACTIVESYNC => match by_v2(&tenancy.v2, home) {
            None => by_autodiscover(&world.net.zones, (domain, home), (ok(PHONE).inferred(), none)),
            known => known.map(|(phone, _)| phone),
        },
        OUTLOOK => match by_v2(&tenancy.v2, home) {
            None => by_autodiscover(&world.net.zones, (domain, home), (ok(EXCHANGE).inferred(), none)),
            known => known.and_then(|(_, exchange)| exchange),
        },
        // it is asked about the domain's first mailbox alone
        OUTLOOK_NEW if mailbox.hosting.is_none() => by_detection(&tenancy.detected, (home, none)),
        MAILSPRING_365 if mailbox.home.map_or(home, |(lives, _)| lives) == Hosting::default() => {
            world.said(mailbox, MAILCORE).map(by_mailspring)
        }
        APPLE => by_autodiscover(&world.net.zones, (domain, home), (ok(PHONE).inferred(), none)),
        _ => None,
    }
}

/// Who picks the tile goes the way of the generic account, and ends with Exchange Online's hosts where that has only guesses.
fn by_mailspring(generic: &Expected) -> Should {
    let Expected { verdict, cause, fragile, inferred, .. } = *generic;
    match (verdict, cause) {
        (Verdict::NotFound, _) | (_, Some(Cause::GuessedHost)) => ok(EXO_PAIR),
        (Verdict::Undetermined, _) => unsure(EXO_PAIR),
        _ => Should { verdict, cause, fragile, inferred, servers: None },
    }
}

/// What a phone is told, and what Outlook is: it signs in where v2 sends it. What v2 says to Outlook of personal accounts is not known.
fn by_v2(v2: &V2, home: Hosting) -> Option<(Should, Option<Should>)> {
    match (v2, home) {
        (V2::Cloud(Cloud::Worldwide), Hosting::ExchangeOnline(Cloud::Worldwide)) => Some((ok(PHONE), Some(ok(EXCHANGE).inferred()))),
        (V2::Cloud(Cloud::UsGovernment), Hosting::ExchangeOnline(Cloud::UsGovernment)) => {
            Some((ok(PHONE_US), Some(ok(EXCHANGE_US).inferred())))
        }
        (V2::Endpoint(_), Hosting::Consumer) => Some((ok(PHONE_LIVE), None)),
        _ => None,
    }
}

/// `autodiscover` as Exchange Online wants it leads there by plain http, and nothing leads nowhere.
fn by_autodiscover(zones: &Zones, (domain, home): (&str, Hosting), (there, none): (Should, Should)) -> Option<Should> {
    let host = format!("autodiscover.{domain}");
    let is_online = matches!(home, Hosting::ExchangeOnline(_));
    if zones.aliases(&host).iter().any(|target| target == "autodiscover.outlook.com") {
        // the alias's certificate is for other names
        return is_online.then_some(there);
    }
    let wild = zones.has(&format!("*.{domain}")) || zones.has(&format!("_autodiscover._tcp.{domain}"));
    (!wild && !zones.has(&host)).then_some(none)
}

fn by_detection(detected: &Detected, (home, none): (Hosting, Should)) -> Option<Should> {
    match detected {
        Detected::Nothing => Some(none),
        Detected::Found { services, rows } if rows.is_empty() => {
            let service = services.first().and_then(|row| row["service"].as_str());
            match (service, home) {
                (Some("office365"), Hosting::ExchangeOnline(_)) => Some(ok(NONE).inferred().servers_open()),
                (Some("outlook"), Hosting::Consumer) => Some(ok(WEB_LIVE)),
                (Some("outlook"), _) => Some(consumer(Cause::AutodetectRow, WEB_LIVE)),
                _ => None,
            }
        }
        _ => None,
    }
}
