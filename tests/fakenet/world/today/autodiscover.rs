//! Autodiscover, where nothing else is published: Thunderbird's last way.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Exchange, Imap, Pop3, Smtp},
    Verdict,
};
use hickory_resolver::proto::rr::RecordType;

use super::super::{
    builder::{AUTODISCOVER, Builder},
    client::{DELTA, EVOLUTION, FAIREMAIL, GNOME, SNAPPYMAIL, THUNDERBIRD, THUNDERBIRD_72},
    documents,
    expected::{EXCHANGE, EXO_ENTRY, HOSTER_PAIR, NONE, Servers, Should, bad, consumer, foreign, nothing, ok, unsure},
    shape::{GOOD, NOTHING, UNUSABLE},
};
use crate::fakenet::{
    site::{Act, Answer, Site, Tls},
    zone::Trouble,
};

/// Both Thunderbirds.
const THUNDERBIRDS: &[&str] = &[THUNDERBIRD, THUNDERBIRD_72];
/// Who asks for Autodiscover by https alone.
const BY_HTTPS: &[&str] = &[EVOLUTION, GNOME, DELTA, FAIREMAIL];
/// Who asks without credentials, and takes hosts of IMAP and SMTP. `SnappyMail` posts by plain http as well.
const OPENLY: &[&str] = &[FAIREMAIL, SNAPPYMAIL];

/// Endpoints that ask for credentials.
pub fn guarded(world: &mut Builder) {
    // The organisation's own Exchange: whether it would send this mailbox to Exchange Online cannot be told.
    let own = Act::guarded(&["Negotiate", "NTLM"]);
    let domain = world.domain("hybrid.example").mx(10, "mail.{d}").autodiscover(own);
    let asked = bad(Verdict::Undetermined, Cause::Guarded, NONE).inferred().servers_open();
    let domain = domain.shape(NOTHING).by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, GNOME], asked);
    let domain = domain.by(&[DELTA, FAIREMAIL, SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.obstacle("http://autodiscover.{d}/", "no-redirect").obstacle("POST https://autodiscover.{d}/", "credentials-required");
    // M9: an alias of a provider of hosted Exchange, whose plain http leads to its own name.
    let domain = world.domain("hosted-alias.example").new_mx().alias("autodiscover", "autodiscover.hosted.example").manual();
    let domain = domain.shape(NOTHING).by(THUNDERBIRDS, foreign(Cause::AutodiscoverForeign, NONE).inferred().servers_open());
    let domain = domain.by(&[SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.by(BY_HTTPS, nothing(Cause::UnusableDocument)).obstacle("POST https://autodiscover.{d}/", "certificate-name");
    // M10: the record leads there. Thunderbird looks at it since 142, Evolution by the rules.
    let domain = world.domain("hosted-record.example").new_mx().srv("autodiscover", (0, 0, 443), "autodiscover.hosted.example").manual();
    let there = foreign(Cause::AutodiscoverSrv, NONE).inferred().servers_open();
    domain.shape(NOTHING).by(&[THUNDERBIRD, EVOLUTION], there).by(&[SNAPPYMAIL], nothing(Cause::UnusableDocument));
    // The record, where the alias cannot be used, as Microsoft describes it. Evolution's user types a password, which Exchange Online
    // does not take.
    let domain = world.domain("outlook-record.example").new_mx().srv("autodiscover", (0, 0, 443), "autodiscover.outlook.com");
    let domain = domain.shape(NOTHING).by(&[SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.thunderbird(ok(EXCHANGE).inferred()).by(&[EVOLUTION], nothing(Cause::UnusableDocument));
    // M10: two records. The rules say the lowest priority; Thunderbird takes the lowest weight, SnappyMail one after the other.
    let domain = world.domain("two-records.example").new_mx().srv("autodiscover", (0, 10, 443), "autodiscover.outlook.com").manual();
    let domain = domain.srv("autodiscover", (10, 0, 443), "autodiscover.hoster.example");
    let domain = domain.shape(NOTHING).by(&[THUNDERBIRD, SNAPPYMAIL], foreign(Cause::AutodiscoverSrv, HOSTER_PAIR));
    domain.by(&[EVOLUTION], nothing(Cause::UnusableDocument));
    // The other way round; Evolution wants web services, and the hoster has none.
    let domain = world.domain("two-records-lucky.example").new_mx().srv("autodiscover", (0, 10, 443), "autodiscover.hoster.example");
    let domain = domain.srv("autodiscover", (10, 0, 443), "autodiscover.outlook.com");
    let domain = domain.shape(NOTHING).thunderbird(ok(EXCHANGE).inferred());
    let domain = domain.by(&[SNAPPYMAIL], foreign(Cause::AutodiscoverSrv, HOSTER_PAIR));
    domain.by(&[EVOLUTION], nothing(Cause::UnusableDocument));
    // Plain http leads to Exchange Online's oldest name.
    let site = Site::empty().http(AUTODISCOVER, Act::redirect(302, format!("https://outlook.com{AUTODISCOVER}"))).tls(Tls::SelfSigned);
    let domain = world.domain("outlook-http.example").new_mx().host("autodiscover", site);
    let domain = domain.shape(NOTHING).by(&[SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.by(THUNDERBIRDS, ok(EXCHANGE).inferred()).by(BY_HTTPS, nothing(Cause::UnusableDocument));
    // Not offered, said so.
    let domain = world.domain("record-nothing.example").new_mx().srv("autodiscover", (0, 0, 0), ".").manual();
    domain.shape(NOTHING).obstacle("SRV _autodiscover._tcp.{d}", "not-offered");
}

/// Endpoints that answer anybody.
pub fn open(world: &mut Builder) {
    let hoster = Act::Filled(Answer::xml(documents::pox(&[("IMAP", "imap.hoster.example", 993), ("SMTP", "smtp.hoster.example", 587)])));
    let hoster_url = format!("https://autodiscover.hoster.example{AUTODISCOVER}");
    // Evolution and GNOME Online Accounts look for web services alone; Delta Chat asks by GET, and follows `RedirectUrl`.
    let wrong = |world: &mut Builder, name: &str, act: Act, (should, delta, openly): (Should, Should, Should)| {
        let domain = world.domain(name).new_mx().autodiscover(act).manual().shape(NOTHING).by(THUNDERBIRDS, should);
        domain.by(&[EVOLUTION, GNOME], nothing(Cause::UnusableDocument)).by(&[DELTA], delta).by(OPENLY, openly);
    };
    let unusable = nothing(Cause::UnusableDocument);
    // M9: a hoster answers for the name, with a certificate for it.
    let should = foreign(Cause::AutodiscoverForeign, HOSTER_PAIR);
    wrong(world, "pox-hoster.example", hoster, (should, should, should));
    // M9: an answer with the consumer service's hosts.
    let document = documents::pox(&[("IMAP", "imap-mail.outlook.com", 993), ("SMTP", "smtp-mail.outlook.com", 587)]);
    let should = consumer(Cause::AutodiscoverForeign, CONSUMER);
    wrong(world, "pox-consumer.example", Act::Filled(Answer::xml(document)), (should, should, should));
    // M9: plain http leads to the hoster.
    let site = Site::empty().http(AUTODISCOVER, Act::redirect(302, &*hoster_url)).tls(Tls::Names(vec!["www.hoster.example".into()]));
    let domain = world.domain("pox-http.example").new_mx().host("autodiscover", site).manual().shape(NOTHING);
    let domain = domain.by(THUNDERBIRDS, foreign(Cause::AutodiscoverForeign, HOSTER_PAIR)).by(BY_HTTPS, unusable);
    // PHP goes on by GET.
    domain.open(&[SNAPPYMAIL]);
    // M25: the answer sends the client to another address, whose host answers, or asks for credentials.
    let away = Act::xml(documents::pox_redirect_address("anna@hoster.example"));
    wrong(world, "pox-redirect.example", away, (foreign(Cause::AutodiscoverRedirect, HOSTER_PAIR), unusable, unusable));
    let away = Act::xml(documents::pox_redirect_address("anna@hosted.example"));
    let should = foreign(Cause::AutodiscoverRedirect, NONE).inferred().servers_open();
    let domain = world.domain("pox-redirect-guarded.example").new_mx().autodiscover(away).manual().shape(NOTHING);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION], should);
    domain.by(&[GNOME, DELTA, FAIREMAIL, SNAPPYMAIL], unusable);
    // The same to another URL, wrong or right: Thunderbird 153.x, executed, has no eye for `RedirectUrl`.
    let away = Act::xml(documents::pox_redirect_url(&hoster_url));
    let delta = foreign(Cause::AutodiscoverRedirect, HOSTER_PAIR);
    wrong(world, "pox-redirect-url.example", away, (unusable, delta, unusable));
    let moved = Act::xml(documents::pox_redirect_url(&format!("https://autodiscover-s.outlook.com{AUTODISCOVER}")));
    let domain = world.domain("pox-moved.example").new_mx().autodiscover(moved).manual().shape(NOTHING);
    domain.by(THUNDERBIRDS, unusable).by(&[EVOLUTION, GNOME, DELTA, FAIREMAIL, SNAPPYMAIL], unusable);
    // M25: an own server that knows the routing address of the mailbox, which moved.
    world.net.alias("autodiscover.hybrid-co.mail.onmicrosoft.com", "autodiscover.outlook.com");
    let moved = Act::xml(documents::pox_redirect_address("anna@hybrid-co.mail.onmicrosoft.com"));
    let domain = world.domain("pox-moved-address.example").new_mx().autodiscover(moved).shape(NOTHING);
    domain.by(THUNDERBIRDS, ok(EXCHANGE).inferred()).by(BY_HTTPS, unusable).by(&[SNAPPYMAIL], unusable);
    // Two addresses that lead to each other; and a page where the document should be.
    let first = Act::xml(documents::pox_redirect_address("bert@pox-circle.example"));
    let second = Act::xml(documents::pox_redirect_address("anna@pox-circle.example"));
    let circle = Act::by_address(&[("anna@pox-circle.example", first)], second);
    let domain = world.domain("pox-circle.example").new_mx().autoconfig(Act::html()).autodiscover(circle).manual();
    domain.shape(UNUSABLE);
    // Exchange Online's own answer, from a server that has it for everybody. Evolution reads web services out of EXPR and EXCH alone;
    // what GNOME makes of those of EXHTTP is open.
    let domain = world.domain("pox-right.example").new_mx().autodiscover(Act::xml(documents::pox_exchange_online())).shape(NOTHING);
    domain.by(THUNDERBIRDS, ok(EXCHANGE)).by(&[EVOLUTION, DELTA, FAIREMAIL, SNAPPYMAIL], unusable).open(&[GNOME]);
    // The same beside a document: Thunderbird adds it as an alternative.
    let name = "pox-beside.example";
    let domain = world.domain(name).new_mx().publishes(documents::good(name));
    domain.autodiscover(Act::xml(documents::pox_exchange_online())).shape(GOOD).by(THUNDERBIRDS, ok(EXO_ENTRY));
    // The same with a stranger's Exchange server: the document is right, and what Autodiscover adds to it is not (M9).
    let name = "pox-beside-foreign.example";
    let stranger = documents::pox_exchange_online().replace("outlook.office365.com", "exchange.hoster.example");
    let domain = world.domain(name).new_mx().publishes(documents::good(name)).autodiscover(Act::xml(stranger)).manual();
    domain.shape(GOOD).by(THUNDERBIRDS, foreign(Cause::AutodiscoverForeign, BESIDE)).open(&[GNOME]);
}

/// Endpoints that answer with an error.
pub fn refusing(world: &mut Builder) {
    let error = Act::xml(documents::pox_error(500));
    // The organisation's own server was told the address, and does not know it.
    let domain = world.domain("pox-unknown.example").new_mx().autodiscover(error.clone()).manual();
    // Up to 124 Thunderbird went on, to the page over plain http, as SnappyMail does.
    domain.shape(NOTHING).by(&[THUNDERBIRD_72, SNAPPYMAIL], nothing(Cause::UnusableDocument)).open(&[DELTA]);
    // A stranger was told `postmaster` in its place: what it would say about the mailbox is not known.
    world.net.host("autodiscover.strict.example", Site::empty().https(AUTODISCOVER, error));
    let domain = world.domain("pox-unknown-stranger.example").new_mx().srv("autodiscover", (0, 0, 443), "autodiscover.strict.example");
    domain.shape(NOTHING).by(&[THUNDERBIRD, EVOLUTION, SNAPPYMAIL], unsure(NONE));
}

/// What fails below the way that decides could not have won.
pub fn decided(world: &mut Builder) {
    let record = Some(RecordType::SRV);
    // The first way ends at Exchange Online, which asks for credentials; the third gets no answer.
    let upgrade = Act::redirect(302, format!("https://autodiscover-s.outlook.com{AUTODISCOVER}"));
    let site = Site::empty().https(AUTODISCOVER, upgrade).any_http(Act::Reset);
    let domain = world.domain("decided-guarded.example").new_mx().host("autodiscover", site);
    let domain = domain.shape(NOTHING).by(THUNDERBIRDS, ok(EXCHANGE).inferred());
    let domain = domain.by(&[EVOLUTION, GNOME, DELTA, FAIREMAIL], nothing(Cause::UnusableDocument)).by(&[SNAPPYMAIL], unsure(NONE));
    domain.obstacle("http://autodiscover.{d}/", "connection-cut");
    // The first way answers; the record is out of reach.
    let domain = world.domain("decided-open.example").new_mx().autodiscover(Act::xml(documents::pox_exchange_online()));
    let domain = domain.trouble("_autodiscover._tcp", record, Trouble::ServFail).obstacle("SRV _autodiscover._tcp.{d}", "serv-fail");
    let domain = domain.shape(NOTHING).by(THUNDERBIRDS, ok(EXCHANGE)).by(&[EVOLUTION, SNAPPYMAIL], unsure(NONE));
    domain.by(&[DELTA, FAIREMAIL], nothing(Cause::UnusableDocument)).open(&[GNOME]);
    // The first way answers with a page, and that ends the search; not Evolution's.
    let site = Site::empty().https(AUTODISCOVER, Act::html()).any_http(Act::Reset);
    let domain = world.domain("decided-dead.example").new_mx().host("autodiscover", site).manual();
    let domain = domain.trouble("_autodiscover._tcp", record, Trouble::ServFail);
    let domain = domain.shape(NOTHING).by(&[THUNDERBIRD, GNOME, DELTA, FAIREMAIL], nothing(Cause::UnusableDocument));
    domain.by(&[EVOLUTION, SNAPPYMAIL], unsure(NONE)).open(&[THUNDERBIRD_72]);
}

const CONSUMER: Servers = (&[(Imap, "imap-mail.outlook.com")], &[(Smtp, "smtp-mail.outlook.com")]);
const BESIDE: Servers = (
    &[(Imap, "outlook.office365.com"), (Pop3, "outlook.office365.com"), (Exchange, "exchange.hoster.example")],
    &[(Smtp, "smtp.office365.com")],
);
