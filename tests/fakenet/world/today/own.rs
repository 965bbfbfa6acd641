//! What domains publish themselves.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Exchange, Imap, Smtp},
    Verdict,
};

use super::super::{
    builder::{AUTODISCOVER, Builder, CONFIG, WELL_KNOWN},
    documents,
    expected::{EXO, EXO_ENTRY, HOSTER, HOTMAIL, HOTMAIL_2014, Servers, bad, consumer, foreign, nothing, ok},
};
use crate::fakenet::site::{Act, Answer, Site};

/// Documents that are right.
pub fn right(world: &mut Builder) {
    // Own document on every URL: nothing outranks it, and the next URL says the same.
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).mail("bert").both(ok(EXO));
    // One URL only. Behind it the MX decides: well for Thunderbird, badly for who reduces it to its base (M1).
    let name = "own-one-url.example";
    let world_domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::good(name)));
    world_domain.thunderbird(ok(EXO)).base(ok(EXO).fragile(Cause::MxBaseDomain));
    // The same with the MX of before 2018: behind the document nobody finds the business entry (M2).
    let name = "own-legacy-mx.example";
    let domain =
        world.domain(name).mx(0, "own-legacy-mx-example.mail.eo.outlook.com").outlook().autoconfig(Act::xml(documents::good(name)));
    domain.thunderbird(ok(EXO).fragile(Cause::MxLegacy)).base(ok(EXO).fragile(Cause::MxBaseDomain));
    // Web pages and submission: Thunderbird takes the pages for Exchange, and stops there. To the others it is no document.
    let name = "own-owa.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::owa_only(name)));
    domain.thunderbird(ok(EXCHANGE_SMTP)).base(consumer(Cause::MxBaseDomain, HOTMAIL));
    // Own document and the SRV records that go with it.
    let name = "own-srv.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.srv("imaps", (0, 1, 993), "outlook.office365.com").srv("submission", (0, 1, 587), "smtp.office365.com");
    let domain = domain.srv("pop3s", (10, 1, 995), "outlook.office365.com").srv("imap", (0, 0, 0), ".").srv("pop3", (0, 0, 0), ".");
    domain.both(ok(EXO)).by_srv(ok(EXO)).obstacle("SRV _imap._tcp.{d}", "not-offered");
    // Geary would read the id as Hotmail (M14); these clients look at the hosts of an own document.
    let name = "own-hotmail-id.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good("hotmail.com")).both(ok(EXO));
    // Three names for one host: a CNAME chain is followed, the certificate is for the first.
    let name = "own-cname-chain.example";
    let domain = world.domain(name).new_mx().alias("autoconfig", "a.{d}").alias("a", "b.{d}").address("b", [127, 0, 0, 1]);
    domain.autoconfig(Act::xml(documents::good(name))).both(ok(EXO));
    // Compressed, and a redirect of five hops.
    let name = "own-gzip.example";
    world.domain(name).new_mx().autoconfig(Act::Gzip(Answer::xml(documents::good(name)))).both(ok(EXO));
    let name = "own-five-hops.example";
    let far = Act::Chain { hops: 5, then: Box::new(Act::xml(documents::good(name))) };
    world.domain(name).new_mx().autoconfig(far).both(ok(EXO));
    // The document is kept in another domain: any `domain` in it is accepted.
    let name = "own-elsewhere.example";
    let site = Site::empty().https("/shared.xml", Act::xml(documents::good("partner.example")));
    world.net.host("config.partner.example", site);
    let away = Act::redirect(302, "https://config.partner.example/shared.xml");
    world.domain(name).new_mx().autoconfig(away).both(ok(EXO));
    // The same by way of a query that names the user.
    let name = "own-query.example";
    let away = Act::redirect(302, "https://config.partner.example/shared.xml?session=4711&user=o%27brien%40own-query.example");
    world.domain(name).new_mx().autoconfig(away).mail("o'brien").both(ok(EXO));
    // A Unicode domain: A-labels in names, the address in the query percent-encoded.
    let name = "münchen-post.example";
    let good = documents::good("xn--mnchen-post-thb.example");
    world.domain(name).exo_mx().outlook().publishes(good).mail("jürgen").both(ok(EXO));
    // Plain http only: Thunderbird's third URL; the old clients ask it as well.
    let name = "own-http.example";
    let site = Site::empty().http(CONFIG, Act::xml(documents::good(name)));
    world.domain(name).new_mx().host("autoconfig", site).both(ok(EXO));
}

/// Documents that name other servers.
pub fn wrong(world: &mut Builder) {
    // M5: written from the Hotmail settings of 2013–2019, never touched again.
    let name = "stale.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::stale(name)).mail("bert").manual();
    domain.both(consumer(Cause::OwnAutoconfigStale, HOTMAIL_2014));
    // M6: only the well-known URL is stale.
    let name = "stale-well-known.example";
    let domain = world.domain(name).exo_mx().outlook().well_known(Act::xml(documents::stale(name))).manual();
    domain.both(consumer(Cause::OwnWellKnownStale, HOTMAIL_2014));
    // M6: the first URL is right, the second is not: right until the first has a bad minute.
    let name = "second-differs.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::good(name)));
    domain.well_known(Act::xml(documents::stale(name))).both(ok(EXO).fragile(Cause::OwnWellKnownStale));
    // A former hoster's document.
    let name = "hoster-left.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::hoster(name)).manual();
    domain.both(foreign(Cause::OwnAutoconfigStale, HOSTER));
    // M7: a wildcard leads `autoconfig` to a hoster's panel, which answers for every domain on it.
    let name = "wildcard-hoster.example";
    let panel = Site::empty().https(CONFIG, Act::xml(documents::hoster(name)));
    world.domain(name).exo_mx().host("*", panel).manual().both(foreign(Cause::WildcardHost, HOSTER));
    // M7: the wildcard's page answers the first URL, so Thunderbird does not consider the second, and the MX decides. The old
    // clients fall through to the second, which is stale, in a domain with a wildcard.
    let name = "wildcard-page.example";
    let domain = world.domain(name).exo_mx().host("*", Site::always(Act::html())).well_known(Act::xml(documents::stale(name)));
    domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain)).base(consumer(Cause::WildcardHost, HOTMAIL_2014));
    // Right host, password in clear.
    let name = "plain-smtp.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::plain_smtp(name)).manual();
    domain.both(bad(Verdict::Insecure, Cause::NoEncryption, EXO));
    // The hosts of 2011–2014, cut off on 2015-07-08.
    let name = "pod.example";
    let document = documents::imap_smtp(name, "pod51036.outlook.com", "pod51036.outlook.com");
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    domain.both(bad(Verdict::Retired, Cause::OwnAutoconfigStale, POD));
    // The hosts of GCC High, for a mailbox that is not there.
    let name = "wrong-cloud.example";
    let document = documents::imap_smtp(name, "outlook.office365.us", "smtp.office365.us");
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    domain.both(bad(Verdict::WrongCloud, Cause::OwnAutoconfigStale, GOVERNMENT));
    // Right IMAP and POP3, the consumer service's submission: what the database says today, copied.
    let name = "half-stale.example";
    let document = documents::consumer_entry().replace("hotmail.com", name);
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    domain.both(consumer(Cause::OwnAutoconfigStale, HOTMAIL));
    // Names that only look like Microsoft's.
    let name = "look-alike.example";
    let document = documents::imap_smtp(name, "evil-outlook.com", "outlook.com.evil.example");
    let domain = world.domain(name).exo_mx().publishes(document).manual();
    domain.both(foreign(Cause::OwnAutoconfigStale, LOOK_ALIKE));
}

/// Answers that are no document for one client or for any.
pub fn unusable(world: &mut Builder) {
    // Thunderbird takes text/plain for a success and reads no document from it; the others do not look at the type.
    let name = "text-plain.example";
    let plain = Act::Answer(Answer::typed("text/plain", documents::good(name)));
    let domain = world.domain(name).new_mx().autoconfig(plain).manual();
    domain.thunderbird(nothing(Cause::UnusableDocument)).base(ok(EXO));
    // 204 is a success for Thunderbird, and says nothing: the MX decides. The others go on to the well-known URL.
    let name = "no-content.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::empty(204)).well_known(Act::xml(documents::good(name)));
    let domain = domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain)).base(ok(EXO).fragile(Cause::MxBaseDomain));
    domain.obstacle("https://autoconfig.{d}/", "empty");
    // An empty document of XML type is a failure of that URL alone.
    let name = "empty-xml.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml("")).well_known(Act::xml(documents::good(name)));
    domain.thunderbird(ok(EXO)).base(ok(EXO).fragile(Cause::MxBaseDomain)).obstacle("https://autoconfig.{d}/", "empty");
    // Broken XML is a success of the URL: the good one behind it is not considered.
    let name = "malformed.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::cut_off(name)));
    let domain = domain.well_known(Act::xml(documents::good(name)));
    domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain)).base(ok(EXO).fragile(Cause::MxBaseDomain));
    // A page with 200 on the first URL, a good document on the second, and nothing else to go by.
    let name = "page-kills.example";
    let domain = world.domain(name).new_mx().autoconfig(Act::html()).well_known(Act::xml(documents::good(name))).manual();
    domain.thunderbird(nothing(Cause::UnusableDocument)).base(ok(EXO));
    // A page with 200 on the domain's own web server for every path, Autodiscover's too.
    let name = "page-everywhere.example";
    let domain = world.domain(name).new_mx().outlook().root(WELL_KNOWN, Act::html()).root(AUTODISCOVER, Act::html()).manual();
    domain.both(nothing(Cause::UnusableDocument));
    // Credentials for a document that must be public.
    let name = "config-guarded.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::guarded(&["Basic realm=\"x\""])).mx_decides();
    domain.obstacle("https://autoconfig.{d}/", "credentials-required");
    // The same where nothing else answers: who mends it must be told of it.
    let name = "config-guarded-alone.example";
    let domain = world.domain(name).new_mx().autoconfig(Act::guarded(&["Basic realm=\"x\""])).manual();
    domain.both(nothing(Cause::UnusableDocument));
    // Submission is missing: no usable document.
    let name = "no-outgoing.example";
    let document = documents::autoconfig(name, &[("imap", "outlook.office365.com", 993, "SSL", "OAuth2")], &[]);
    let domain = world.domain(name).new_mx().autoconfig(Act::xml(document)).manual();
    domain.thunderbird(nothing(Cause::UnusableDocument));
}

const EXCHANGE_SMTP: Servers = (&[(Exchange, "outlook.office365.com")], &[(Smtp, "smtp.office365.com")]);
const POD: Servers = (&[(Imap, "pod51036.outlook.com")], &[(Smtp, "pod51036.outlook.com")]);
const GOVERNMENT: Servers = (&[(Imap, "outlook.office365.us")], &[(Smtp, "smtp.office365.us")]);
const LOOK_ALIKE: Servers = (&[(Imap, "evil-outlook.com")], &[(Smtp, "outlook.com.evil.example")]);
