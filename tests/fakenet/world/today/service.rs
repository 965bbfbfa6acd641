//! What Microsoft's services say, and who believes it: `AutoDetect`, Autodiscover v2, `mobilesync`, the sign-in service.

use autodiscover_audit::model::{
    Authority, Cause, Cloud, Hosting,
    Protocol::{ActiveSync, Imap, Smtp},
};

use super::super::{
    builder::{AUTODISCOVER, Builder},
    client::{ACTIVESYNC, APPLE, DELTA, EVOLUTION, FAIREMAIL, GNOME, OUTLOOK, OUTLOOK_NEW, SNAPPYMAIL, THUNDERBIRD, THUNDERBIRD_72},
    documents,
    expected::{EXCHANGE, EXCHANGE_US, HOSTER_PAIR, NONE, PHONE, PHONE_LIVE, PHONE_US, Servers, foreign, nothing, ok, unsure},
    shape::{NOTHING, STANDARD, STRANGER},
};
use crate::fakenet::{
    microsoft::{Account, Detected, Row, Tenancy, TenantDirectory, V2, service},
    site::{Act, Answer, Site},
};

/// `AutoDetect`: what the new Outlook is told.
pub fn detected(world: &mut Builder) {
    let mut told = |name: &str, detected: Detected, should| {
        let domain = world.domain(name).exo_mx().outlook().known_as(|tenancy| tenancy.detected = detected);
        domain.shape(STANDARD).by(&[OUTLOOK_NEW], should);
    };
    // A row of its provider database from before the move, as example.com had one from 2020 to 2026.
    let row = |protocol, host, port, encryption| Row { protocol, host, port, encryption };
    let rows = vec![row("imap", "imap.old-isp.example", 993, "ssl"), row("smtp", "smtp.old-isp.example", 587, "starttls")];
    told("detected-row.example", Detected::Found { services: Vec::new(), rows }, foreign(Cause::AutodetectRow, OLD));
    let found = || Detected::Found { services: vec![service("office365", None)], rows: Vec::new() };
    let later = |times| Detected::Later { times, seconds: 0, then: Box::new(found()) };
    told("detected-later.example", later(1), ok(NONE).inferred().servers_open());
    // It never comes to an end.
    told("detected-never.example", later(usize::MAX), unsure(NONE));
    told("detected-nothing.example", Detected::Nothing, nothing(Cause::NothingPublished));
    // A work address that is a personal account, too: the user chooses, and half of them wrongly.
    let services = vec![service("office365", None), service("outlook", None)];
    let detected = Detected::Found { services, rows: Vec::new() };
    let domain = world.domain("detected-both.example").exo_mx().outlook();
    let domain = domain.known_as(|tenancy| (tenancy.detected, tenancy.account) = (detected, Account::Both));
    domain.shape(STANDARD).by(&[OUTLOOK_NEW], unsure(NONE)).lives(Hosting::default(), Authority::AutodiscoverV2).personal();
}

/// Autodiscover v2, where nothing else answers.
pub fn redirected(world: &mut Builder) {
    let inferred = |servers| ok(servers).inferred();
    // The clouds that are not the tenant's: v2 knows better, and the sign-in service agrees.
    for (name, cloud, phone, exchange) in [
        ("v2-government.example", Cloud::UsGovernment, PHONE_US, Some(EXCHANGE_US)),
        ("v2-defense.example", Cloud::UsDod, PHONE_DOD, None),
        ("v2-china.example", Cloud::China, PHONE_CHINA, None),
    ] {
        let hosting = Hosting::ExchangeOnline(cloud);
        let domain = world.domain(name).new_mx().known_as(|tenancy| *tenancy = Tenancy::exchange_online(cloud)).manual();
        let domain = domain.shape(NOTHING).by(&[ACTIVESYNC], ok(phone)).lives(hosting, Authority::AutodiscoverV2);
        match exchange {
            Some(servers) => domain.by(&[OUTLOOK], inferred(servers)),
            None => domain.open(&[OUTLOOK]),
        };
    }
    // A hybrid: v2 sends on to the organisation's own server, which has the mailbox. What it tells Outlook is open.
    let endpoint = r#"{"Protocol": "ActiveSync", "Url": "https://mail.v2-hybrid.example/Microsoft-Server-ActiveSync"}"#;
    let domain = world.domain("v2-hybrid.example").new_mx().host("mail", Site::empty().any_https(Act::json(endpoint)));
    let domain = domain.known_as(|tenancy| tenancy.v2 = V2::Away(AWAY.replace("HOST", "mail.v2-hybrid.example"))).manual();
    let domain = domain.shape(NOTHING).by(&[ACTIVESYNC], ok(OWN_PHONE)).open(&[OUTLOOK, OUTLOOK_NEW]);
    domain.lives(Hosting::OnPremises, Authority::AutodiscoverV2);
    // A stranger, to whom the address is not told: nobody knows what it would say. That the mailbox is there, v2 says.
    let domain = world.domain("v2-stranger.example").new_mx().manual();
    let domain = domain.known_as(|tenancy| tenancy.v2 = V2::Away(AWAY.replace("HOST", "eas.hoster.example")));
    let domain = domain.shape(NOTHING).by(&[ACTIVESYNC, OUTLOOK], unsure(NONE));
    let domain = domain.by(&[OUTLOOK_NEW], foreign(Cause::AutodetectRow, NONE).inferred().servers_open());
    domain.lives(Hosting::Other, Authority::AutodiscoverV2).conflict();
    // No such mailbox, it says, of one that has not been moved yet, or has no licence: Autodiscover by the alias is next.
    let domain = world.domain("v2-unknown.example").exo_mx().outlook().known_as(|tenancy| tenancy.v2 = unknown());
    let domain = domain.shape(STANDARD).by(&[ACTIVESYNC], inferred(PHONE)).by(&[OUTLOOK], inferred(EXCHANGE));
    domain.lives(Hosting::default(), Authority::Tenant);
    // Out of order.
    let failing = V2::Other(Box::new(Act::status(503)));
    let domain = world.domain("v2-failing.example").exo_mx().outlook().known_as(|tenancy| tenancy.v2 = failing);
    let domain = domain.shape(STANDARD).by(&[ACTIVESYNC], inferred_doubt(PHONE)).by(&[OUTLOOK], inferred_doubt(EXCHANGE));
    domain.lives(Hosting::default(), Authority::Tenant);
    // The tenant's mailbox, and v2 says that it is a personal one.
    let live = V2::Endpoint("https://eas.outlook.com/Microsoft-Server-ActiveSync".to_owned());
    let domain = world.domain("v2-consumer.example").new_mx().known_as(|tenancy| tenancy.v2 = live).manual();
    let domain = domain.shape(NOTHING).by(&[ACTIVESYNC], ok(PHONE_LIVE)).open(&[OUTLOOK, OUTLOOK_NEW]);
    domain.lives(Hosting::Consumer, Authority::AutodiscoverV2).conflict();
}

/// Who says where a mailbox lives, where two do not say the same.
pub fn contradicted(world: &mut Builder) {
    // The list says that one mailbox has not moved, v2 that it has.
    let name = "list-behind.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.mail_with("bert", |mailbox| mailbox.hosting = Some(Hosting::OnPremises)).manual_for("bert");
    let domain = domain.mailbox_known_as("bert", |tenancy| tenancy.v2 = V2::Cloud(Cloud::Worldwide));
    let domain = domain.shape(super::super::shape::GOOD).shape_for("bert", STRANGER);
    let stray = foreign(Cause::AutodiscoverForeign, PHONE);
    let domain = domain.by_for("bert", &[ACTIVESYNC], stray).open_for("bert", &[OUTLOOK]);
    let domain = domain.lives(Hosting::default(), Authority::AutodiscoverV2);
    domain.lives_for("bert", Hosting::OnPremises, Authority::List).conflict_for("bert");
    // The sign-in service knows no tenant that has the domain.
    let domain = world.domain("no-tenant.example").exo_mx().outlook();
    let domain = domain.known_as(|tenancy| tenancy.directory = TenantDirectory::None);
    domain.shape(STANDARD).lives(Hosting::default(), Authority::AutodiscoverV2).conflict();
}

/// Autodiscover for phones, where v2 knows no mailbox, and a server answers for the name.
pub fn phones(world: &mut Builder) {
    let phone = |world: &mut Builder, name: &str, act: Act, should| {
        let act = Act::BySchema { mobilesync: Box::new(act), otherwise: Box::new(Act::status(404)) };
        let domain = world.domain(name).new_mx().autodiscover(act).known_as(|tenancy| tenancy.v2 = unknown()).manual();
        domain
            .shape(NOTHING)
            .by(&[THUNDERBIRD, THUNDERBIRD_72, SNAPPYMAIL], nothing(Cause::UnusableDocument))
            .by(&[ACTIVESYNC, APPLE], should)
            .by(&[OUTLOOK], nothing(Cause::NothingPublished));
    };
    let own = Act::xml(documents::mobilesync("https://mail.phone-own.example/Microsoft-Server-ActiveSync"));
    phone(world, "phone-own.example", own, foreign(Cause::AutodiscoverForeign, OWN_PHONE));
    // Another address, whose host answers phones.
    let hoster = Act::xml(documents::mobilesync("https://eas.hoster.example/Microsoft-Server-ActiveSync"));
    let site = Site::empty().https(AUTODISCOVER, Act::BySchema { mobilesync: Box::new(hoster), otherwise: Box::new(Act::status(404)) });
    world.net.host("autodiscover.phones.example", site);
    let away = Act::xml(documents::mobilesync_redirect("anna@phones.example"));
    phone(world, "phone-redirect.example", away, foreign(Cause::AutodiscoverRedirect, HOSTER_PHONE));
    // 451: the mailbox has moved.
    let there = "https://eas.hoster.example/Microsoft-Server-ActiveSync";
    let moved = Act::Answer(Answer::new(451).header("X-MS-Location", there));
    phone(world, "phone-moved.example", moved, foreign(Cause::AutodiscoverRedirect, HOSTER_PHONE));
    let broken = Act::xml(documents::pox_error(600));
    phone(world, "phone-error.example", broken, nothing(Cause::UnusableDocument));
}

/// The domain's own web server has an answer of long ago, and nothing outranks it where v2 knows no mailbox.
pub fn at_the_root(world: &mut Builder) {
    let hoster = Answer::xml(documents::pox(&[("IMAP", "imap.hoster.example", 993), ("SMTP", "smtp.hoster.example", 587)]));
    let domain = world.domain("root-stale.example").new_mx().root(AUTODISCOVER, Act::Filled(hoster)).manual();
    let domain = domain.known_as(|tenancy| tenancy.v2 = unknown()).shape(NOTHING);
    let stale = foreign(Cause::AutodiscoverForeign, HOSTER_PAIR);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, OUTLOOK, DELTA, FAIREMAIL, SNAPPYMAIL], stale);
    domain.by(&[EVOLUTION, GNOME, ACTIVESYNC, APPLE], nothing(Cause::UnusableDocument));
}

/// Who goes to Exchange Online first is right, and what comes next is not: the hosters of `autodiscover`.
pub fn behind(world: &mut Builder) {
    for (domain, cause) in [("hosted-alias.example", Cause::AutodiscoverForeign), ("hosted-record.example", Cause::AutodiscoverSrv)] {
        world.say_in(domain, ACTIVESYNC, ok(PHONE).fragile(cause));
        world.say_in(domain, OUTLOOK, ok(EXCHANGE).inferred().fragile(cause));
    }
    for (domain, cause) in [
        ("two-records-lucky.example", Cause::AutodiscoverSrv),
        ("pox-hoster.example", Cause::AutodiscoverForeign),
        ("pox-consumer.example", Cause::AutodiscoverForeign),
        ("pox-http.example", Cause::AutodiscoverForeign),
        ("pox-redirect.example", Cause::AutodiscoverRedirect),
        ("pox-redirect-guarded.example", Cause::AutodiscoverRedirect),
        ("pox-redirect-url.example", Cause::AutodiscoverRedirect),
        ("pox-beside-foreign.example", Cause::AutodiscoverForeign),
    ] {
        world.say_in(domain, OUTLOOK, ok(EXCHANGE).inferred().fragile(cause));
    }
}

fn unknown() -> V2 {
    V2::Refused { status: 404, code: "UserNotFound" }
}

/// What would be inferred, had nothing failed before.
const fn inferred_doubt(servers: Servers) -> super::super::expected::Should {
    unsure(servers).inferred()
}

const AWAY: &str = "https://HOST/autodiscover/autodiscover.json?Email={address}&Protocol={protocol}&RedirectCount=1";
const OLD: Servers = (&[(Imap, "imap.old-isp.example")], &[(Smtp, "smtp.old-isp.example")]);
const PHONE_DOD: Servers = (&[(ActiveSync, "outlook-dod.office365.us")], &[]);
const PHONE_CHINA: Servers = (&[(ActiveSync, "partner.outlook.cn")], &[]);
const OWN_PHONE: Servers = (&[(ActiveSync, "mail.{d}")], &[]);
const HOSTER_PHONE: Servers = (&[(ActiveSync, "eas.hoster.example")], &[]);
