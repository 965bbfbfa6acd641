//! What stands in the way: mostly at `https://autoconfig.D`, in a domain whose MX would decide.

use autodiscover_audit::model::Cause;
use hickory_resolver::proto::rr::RecordType;

use super::super::{
    builder::{AUTODISCOVER, Builder, CONFIG},
    client::{
        ANDROID, AOSP, BASE, DELTA, DRAFT, EVOLUTION, FAIREMAIL, GEARY, GNOME, HIMALAYA, JMAP, KMAIL, MAILCORE, NEXTCLOUD, SNAPPYMAIL,
        THUNDERBIRD, THUNDERBIRD_72,
    },
    documents,
    expected::{EXCHANGE, EXO, EXO_PAIR, NONE, Should, nothing, ok, unsure},
    shape::{GOOD, GOOD_BY_AUTOCONFIG, IN_DOUBT, NOTHING, STANDARD},
};
use crate::fakenet::{
    microsoft::Tenancy,
    site::{Act, Answer, Site, Tls},
    zone::Trouble,
};

/// The name cannot be resolved: nobody knows what it would have said.
pub fn of_dns(world: &mut Builder) {
    for (name, trouble, obstacle) in [
        ("dns-failing.example", Trouble::ServFail, "serv-fail"),
        ("dns-refused.example", Trouble::Refused, "dns-code"),
        ("dns-silent.example", Trouble::Drop, "dns-timeout"),
    ] {
        let domain = world.domain(name).exo_mx().outlook().trouble("autoconfig", None, trouble);
        domain.shape(IN_DOUBT).obstacle("https://autoconfig.{d}/", obstacle);
    }
    let domain = world.domain("dns-circle.example").exo_mx().outlook().alias("autoconfig", "round.{d}").alias("round", "autoconfig.{d}");
    domain.shape(IN_DOUBT).obstacle("https://autoconfig.{d}/", "dns-broken");
    // A name without the record, and one that is not there: nothing is published.
    let domain = world.domain("dns-nothing.example").exo_mx().outlook().address("www.autoconfig", [127, 0, 0, 1]);
    domain.shape(STANDARD).obstacle("https://autoconfig.{d}/", "no-data").obstacle("SRV _imaps._tcp.{d}", "nx-domain");
    // Nobody has registered the domain.
    let domain = world.unknown_domain("unregistered.example").known_as(|tenancy| *tenancy = Tenancy::unknown()).manual();
    let domain = domain.document(nothing(Cause::NoSuchDomain), nothing(Cause::NoSuchDomain)).by_srv(nothing(Cause::NoSuchDomain));
    let domain = domain.by(&[AOSP], nothing(Cause::NoSuchDomain));
    domain.obstacle("MX {d}", "nx-domain").obstacle("https://autoconfig.{d}/", "nx-domain");
    // The MX is out of reach: what it would have led to outranks Autodiscover.
    let domain = world.domain("mx-failing.example").outlook().trouble("", Some(RecordType::MX), Trouble::ServFail);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72], unsure(EXCHANGE).inferred());
    let domain = domain.by(&[BASE, HIMALAYA, ANDROID, NEXTCLOUD, EVOLUTION, GNOME, DRAFT, FAIREMAIL, MAILCORE], unsure(NONE));
    let domain = domain.by(&[KMAIL, GEARY], nothing(Cause::NothingPublished));
    let domain = domain.by(&[DELTA, SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.obstacle("MX {d}", "serv-fail");
    // SRV is out of reach.
    let domain = world.domain("srv-failing.example").exo_mx().outlook().trouble("_imaps._tcp", None, Trouble::ServFail);
    domain.shape(STANDARD).by_srv(unsure(NONE)).obstacle("SRV _imaps._tcp.{d}", "serv-fail");
}

/// No connection, or one that does not last.
pub fn of_connections(world: &mut Builder) {
    for (name, address, obstacle) in
        [("refused.example", [127, 0, 0, 9], "connection-refused"), ("unreachable.example", [127, 255, 255, 255], "unreachable")]
    {
        let domain = world.domain(name).exo_mx().outlook().address("autoconfig", address);
        domain.shape(IN_DOUBT).obstacle("https://autoconfig.{d}/", obstacle);
    }
    let good = Answer::xml(documents::good("good.example"));
    for (name, act, obstacle) in [
        ("silent.example", Act::Silent, "timeout"),
        ("slow.example", Act::Trickle(good.clone()), "timeout"),
        ("reset.example", Act::Reset, "connection-cut"),
        ("cut-off.example", Act::Truncated(good), "connection-cut"),
    ] {
        let domain = world.domain(name).exo_mx().outlook().autoconfig(act).shape(IN_DOUBT);
        // its other place is at the same host, which we may have left alone for too long by then
        let domain = if name.starts_with("busy") { domain.open(&[SNAPPYMAIL]) } else { domain.by(&[SNAPPYMAIL], ELSEWHERE) };
        domain.obstacle("https://autoconfig.{d}/", obstacle);
    }
}

/// Certificates that a client refuses are an answer, as far as the client is concerned; no handshake at all is none.
pub fn of_certificates(world: &mut Builder) {
    for (name, tls, obstacle) in [
        ("other-name.example", Tls::Names(vec!["www.hoster.example".into()]), "certificate-name"),
        ("self-signed.example", Tls::SelfSigned, "certificate-untrusted"),
        ("expired.example", Tls::Expired, "certificate-expired"),
        ("other-purpose.example", Tls::OtherPurpose, "certificate-other"),
    ] {
        let site = Site::empty().https(CONFIG, Act::xml(documents::good(name))).tls(tls);
        world.domain(name).exo_mx().outlook().host("autoconfig", site).passed_over().obstacle("https://autoconfig.{d}/", obstacle);
    }
    for (name, tls, obstacle) in [
        ("no-tls.example", Tls::PlainHttp, "handshake"),
        ("old-tls.example", Tls::OldVersion, "handshake"),
        ("cut-tls.example", Tls::Reset, "connection-cut"),
    ] {
        let domain = world.domain(name).exo_mx().outlook().host("autoconfig", Site::empty().tls(tls));
        domain.shape(IN_DOUBT).obstacle("https://autoconfig.{d}/", obstacle);
    }
}

/// Answers that are none.
pub fn of_http(world: &mut Builder) {
    for (name, act, obstacle) in [("forbidden.example", Act::status(403), "rejected"), ("not-http.example", Act::NotHttp, "not-http")] {
        world.domain(name).exo_mx().outlook().autoconfig(act).passed_over().obstacle("https://autoconfig.{d}/", obstacle);
    }
    let domain = world.domain("gone.example").exo_mx().outlook().autoconfig(Act::status(410)).shape(STANDARD);
    domain.obstacle("https://autoconfig.{d}/", "not-there");
    for (name, act, obstacle) in [
        ("broken-server.example", Act::status(500), "server-error"),
        ("busy.example", Act::Busy { status: 429, seconds: 1 }, "too-many-requests"),
        ("busy-until.example", Act::BusyUntil { status: 503, seconds: 1 }, "server-error"),
        ("large.example", Act::Large(10 << 20), "too-large"),
        ("bomb.example", Act::GzipBomb(10 << 20), "too-large"),
        ("broken-gzip.example", Act::BrokenGzip, "undecodable"),
    ] {
        let domain = world.domain(name).exo_mx().outlook().autoconfig(act).shape(IN_DOUBT);
        // its other place is at the same host, which we may have left alone for too long by then
        let domain = if name.starts_with("busy") { domain.open(&[SNAPPYMAIL]) } else { domain.by(&[SNAPPYMAIL], ELSEWHERE) };
        domain.obstacle("https://autoconfig.{d}/", obstacle);
    }
    // An hour is too long to wait: the host is left alone, whatever is to be asked there later.
    let hour = Act::Busy { status: 503, seconds: 3600 };
    let later = Site::empty().http(AUTODISCOVER, Act::redirect(302, "https://held.example/moved.xml"));
    let domain = world.domain("held.example").exo_mx().host("", Site::always(hour)).host("autodiscover", later);
    let domain = domain.shape(IN_DOUBT).by(&[GEARY], nothing(Cause::NothingPublished)).by(&[JMAP], unsure(NONE));
    domain.obstacle("https://{d}/", "server-error").obstacle("POST https://{d}/moved.xml", "held");
    // A bad minute that is over when it is asked again.
    let name = "flaky.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::flaky(1, Act::xml(documents::good(name))));
    domain.shape(GOOD_BY_AUTOCONFIG);
}

/// Redirects that are not followed to an end.
pub fn of_redirects(world: &mut Builder) {
    world.net.zones.add("intranet.partner.example", crate::fakenet::zone::Data::A([192, 168, 0, 1].into()));
    let far = Act::Chain { hops: 6, then: Box::new(Act::xml(documents::good("far.example"))) };
    for (name, act, obstacle) in [
        ("circle.example", Act::Circle, "redirect-circle"),
        ("no-web-address.example", Act::redirect(302, "mailto:postmaster@no-web-address.example"), "redirect-invalid"),
    ] {
        world.domain(name).exo_mx().outlook().autoconfig(act).passed_over().obstacle("https://autoconfig.{d}/", obstacle);
    }
    // Our own limits: a client may follow where we do not.
    for (name, act, obstacle) in [
        ("far.example", far, "too-many-redirects"),
        ("downgrade.example", Act::redirect(302, format!("http://config.partner.example{CONFIG}")), "redirect-downgrade"),
        ("private-address.example", Act::redirect(302, format!("https://10.0.0.1{CONFIG}")), "redirect-forbidden"),
        ("private-name.example", Act::redirect(302, format!("https://intranet.partner.example{CONFIG}")), "redirect-forbidden"),
    ] {
        let domain = world.domain(name).exo_mx().outlook().autoconfig(act).shape(IN_DOUBT);
        // its other place is at the same host, which we may have left alone for too long by then
        let domain = if name.starts_with("busy") { domain.open(&[SNAPPYMAIL]) } else { domain.by(&[SNAPPYMAIL], ELSEWHERE) };
        domain.obstacle("https://autoconfig.{d}/", obstacle);
    }
    // Plain http to a private address: the third URL, for which Geary and Delta Chat do not ask.
    let site = Site::empty().any_http(Act::redirect(302, "http://10.0.0.1/"));
    let domain = world.domain("private-http.example").exo_mx().outlook().host("autoconfig", site);
    let domain = domain.shape(IN_DOUBT).by(&[GEARY, MAILCORE], nothing(Cause::NothingPublished));
    let domain = domain.by(&[DELTA], nothing(Cause::UnusableDocument));
    domain.obstacle("http://autoconfig.{d}/", "redirect-forbidden");
    // A private address in public DNS: users inside may see what we cannot.
    let domain = world.domain("split.example").exo_mx().outlook().address("autoconfig", [10, 0, 0, 1]);
    domain.shape(IN_DOUBT).obstacle("https://autoconfig.{d}/", "forbidden-address");
}

/// The same at other places, and what of it matters.
pub fn elsewhere(world: &mut Builder) {
    // The ISP database: its entry for the domain itself would have outranked the MX. Evolution goes on after a 404 alone.
    let domain = world.domain("database-failing.example").exo_mx().outlook().ispdb(&Act::status(503)).shape(IN_DOUBT);
    let domain = domain.by(&[EVOLUTION], unsure(NONE)).by(&[MAILCORE], nothing(Cause::NothingPublished));
    domain.obstacle("https://live.thunderbird.net/autoconfig/v1.1/{d}", "server-error");
    // The first own URL, where the second is right.
    let name = "first-failing.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::status(502)).well_known(Act::xml(documents::good(name)));
    domain.document(unsure(EXO), unsure(EXO_PAIR)).by(&[GEARY], unsure(NONE)).by(&[SNAPPYMAIL], ok(EXO_PAIR));
    // What ranks below the winner does not matter: the MX, Autodiscover.
    let name = "below-failing.example";
    let domain = world.domain(name).trouble("", Some(RecordType::MX), Trouble::ServFail).publishes(documents::good(name));
    let domain = domain.autodiscover(Act::Reset).shape(GOOD).obstacle("MX {d}", "serv-fail");
    // Two have tables by the MX that come first.
    let domain = domain.by(&[FAIREMAIL, MAILCORE], unsure(EXO_PAIR));
    domain.obstacle("POST https://autodiscover.{d}/", "connection-cut");
    let domain = world.domain("autodiscover-failing.example").exo_mx().autodiscover(Act::Reset).shape(STANDARD);
    domain
        .by(&[DELTA, SNAPPYMAIL], unsure(NONE))
        .obstacle("POST https://autodiscover.{d}/", "connection-cut")
        .obstacle("https://{d}/", "not-there");
    // Nothing was found, and the last way failed.
    let domain = world.domain("autodiscover-down.example").new_mx().autodiscover(Act::status(503));
    domain.shape(NOTHING).by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, GNOME, DELTA, FAIREMAIL, SNAPPYMAIL], unsure(NONE));
    // Autodiscover redirects to a private address: whoever is inside may get an answer there.
    let site = Site::empty().http(AUTODISCOVER, Act::redirect(302, "https://10.0.0.1/")).tls(Tls::SelfSigned);
    let domain = world.domain("autodiscover-private.example").new_mx().host("autodiscover", site);
    let domain = domain.shape(NOTHING).by(&[THUNDERBIRD, THUNDERBIRD_72, SNAPPYMAIL], unsure(NONE));
    domain.by(&[EVOLUTION, GNOME, DELTA, FAIREMAIL], nothing(Cause::UnusableDocument));
}

/// What `SnappyMail` ends with, which asks for documents at other places.
const ELSEWHERE: Should = nothing(Cause::UnusableDocument);
