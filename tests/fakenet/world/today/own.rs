//! What domains publish themselves.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Exchange, Imap, Smtp},
    Verdict,
};

use super::super::{
    builder::{AUTODISCOVER, Builder, CONFIG, WELL_KNOWN},
    client::{
        ANDROID, BASE, DELTA, DRAFT, EVOLUTION, FAIREMAIL, GEARY, GNOME, HIMALAYA, KMAIL, MAILCORE, MAILSPRING_365, NEXTCLOUD, PACC,
        SNAPPYMAIL, THUNDERBIRD, THUNDERBIRD_72,
    },
    documents,
    expected::{
        EXO, EXO_ENTRY, EXO_PAIR, HOSTER, HOSTER_PAIR, HOTMAIL_2014, HOTMAIL_2014_PAIR, Servers, bad, consumer, foreign, nothing, ok,
    },
    shape::{GOOD, GOOD_BY_AUTOCONFIG, HALF_STALE, PAST_SNAPPYMAIL, STALE, STANDARD, UNUSABLE, WELL_KNOWN_NEXT},
};
use crate::fakenet::site::{Act, Answer, Site};

/// Documents that are right.
pub fn right(world: &mut Builder) {
    // Own document on every URL: nothing outranks it, and the next URL says the same.
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).mail("bert").shape(GOOD);
    // One URL only. Behind it the MX decides: well for Thunderbird, badly for who reduces it to its base (M1).
    let name = "own-one-url.example";
    world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::good(name))).shape(GOOD_BY_AUTOCONFIG);
    // The same with the MX of before 2018: behind the document nobody finds the business entry (M2).
    let name = "own-legacy-mx.example";
    let domain =
        world.domain(name).mx(0, "own-legacy-mx-example.mail.eo.outlook.com").outlook().autoconfig(Act::xml(documents::good(name)));
    let domain = domain.shape(GOOD_BY_AUTOCONFIG).by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, DRAFT], ok(EXO).fragile(Cause::MxLegacy));
    domain.by(&[ANDROID, NEXTCLOUD], ok(EXO_PAIR).fragile(Cause::MxLegacy));
    // Web pages and submission: Thunderbird takes the pages for Exchange, and stops there. To some it is no document; others take it
    // for an answer without servers, or ask nobody else.
    let name = "own-owa.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::owa_only(name)));
    let domain = domain.shape(STANDARD).thunderbird(ok(EXCHANGE_SMTP));
    domain.by(&[EVOLUTION, KMAIL, GNOME, GEARY, NEXTCLOUD, DELTA, MAILCORE, MAILSPRING_365], nothing(Cause::UnusableDocument));
    // Own document and the SRV records that go with it.
    let name = "own-srv.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.srv("imaps", (0, 1, 993), "outlook.office365.com").srv("submission", (0, 1, 587), "smtp.office365.com");
    let domain = domain.srv("pop3s", (10, 1, 995), "outlook.office365.com").srv("imap", (0, 0, 0), ".").srv("pop3", (0, 0, 0), ".");
    domain.shape(GOOD).by_srv(ok(EXO)).obstacle("SRV _imap._tcp.{d}", "not-offered");
    // Geary reads the id as Hotmail, and has hosts for that (M14); the others look at those of the document.
    let name = "own-hotmail-id.example";
    world
        .domain(name)
        .exo_mx()
        .outlook()
        .publishes(documents::good("hotmail.com"))
        .shape(GOOD)
        .by(&[GEARY], consumer(Cause::ProviderId, HOTMAIL_2014_PAIR));
    // Three names for one host: a CNAME chain is followed, the certificate is for the first.
    let name = "own-cname-chain.example";
    let domain = world.domain(name).new_mx().alias("autoconfig", "a.{d}").alias("a", "b.{d}").address("b", [127, 0, 0, 1]);
    domain.autoconfig(Act::xml(documents::good(name))).shape(GOOD).shape(PAST_SNAPPYMAIL);
    // Compressed, and a redirect of five hops.
    let name = "own-gzip.example";
    world.domain(name).new_mx().autoconfig(Act::Gzip(Answer::xml(documents::good(name)))).shape(GOOD).shape(PAST_SNAPPYMAIL);
    let name = "own-five-hops.example";
    let far = Act::Chain { hops: 5, then: Box::new(Act::xml(documents::good(name))) };
    world.domain(name).new_mx().autoconfig(far).shape(GOOD).shape(PAST_SNAPPYMAIL).open(&[HIMALAYA]);
    // The document is kept in another domain: any `domain` in it is accepted.
    let name = "own-elsewhere.example";
    let site = Site::empty().https("/shared.xml", Act::xml(documents::good("partner.example")));
    world.net.host("config.partner.example", site);
    let away = Act::redirect(302, "https://config.partner.example/shared.xml");
    world.domain(name).new_mx().autoconfig(away).shape(GOOD).shape(PAST_SNAPPYMAIL);
    // The same by way of a query that names the user.
    let name = "own-query.example";
    let away = Act::redirect(302, "https://config.partner.example/shared.xml?session=4711&user=o%27brien%40own-query.example");
    world.domain(name).new_mx().autoconfig(away).mail("o'brien").shape(GOOD).shape(PAST_SNAPPYMAIL);
    // A Unicode domain: A-labels in names, the address in the query percent-encoded.
    let name = "münchen-post.example";
    let good = documents::good("xn--mnchen-post-thb.example");
    let domain = world.domain(name).exo_mx().outlook().publishes(good).mail("jürgen").shape(GOOD);
    domain.open(&[NEXTCLOUD, HIMALAYA, DELTA]);
    // Plain http only: Thunderbird's third URL; Geary, Delta Chat and Mailspring ask by https alone.
    let name = "own-http.example";
    let site = Site::empty().http(CONFIG, Act::xml(documents::good(name)));
    world.domain(name).new_mx().host("autoconfig", site).shape(GOOD).by(&[GEARY, DELTA, MAILCORE], nothing(Cause::NothingPublished));
}

/// Documents that name other servers.
pub fn wrong(world: &mut Builder) {
    // M5: written from the Hotmail settings of 2013–2019, never touched again.
    let name = "stale.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::stale(name)).mail("bert").manual();
    domain.shape(STALE);
    // M6: only the well-known URL is stale, for which Geary does not ask.
    let name = "stale-well-known.example";
    let domain = world.domain(name).exo_mx().outlook().well_known(Act::xml(documents::stale(name))).manual();
    let stale = |servers| consumer(Cause::OwnWellKnownStale, servers);
    domain.document(stale(HOTMAIL_2014), stale(HOTMAIL_2014_PAIR)).by(&[GEARY], nothing(Cause::NothingPublished));
    // M6: the first URL is right, the second is not: right until the first has a bad minute.
    let name = "second-differs.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::good(name)));
    domain.well_known(Act::xml(documents::stale(name))).shape(GOOD).shape(WELL_KNOWN_NEXT);
    // A former hoster's document.
    let name = "hoster-left.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::hoster(name)).manual();
    let domain = domain.document(foreign(Cause::OwnAutoconfigStale, HOSTER), foreign(Cause::OwnAutoconfigStale, HOSTER_PAIR));
    domain.by(&[SNAPPYMAIL], foreign(Cause::OwnWellKnownStale, HOSTER_PAIR));
    // M7: a wildcard leads `autoconfig` to a hoster's panel, which answers for every domain on it.
    let name = "wildcard-hoster.example";
    let panel = Site::empty().https(CONFIG, Act::xml(documents::hoster(name)));
    let domain = world.domain(name).exo_mx().host("*", panel).manual();
    let domain = domain.document(foreign(Cause::WildcardHost, HOSTER), foreign(Cause::WildcardHost, HOSTER_PAIR));
    domain.by(&[SNAPPYMAIL], nothing(Cause::NothingPublished));
    // M7: the wildcard's page answers the first URL, so Thunderbird does not consider the second, and the MX decides. Others fall
    // through to the second, which is stale, in a domain with a wildcard; KMail ends at the page, and Geary asks for no second.
    let name = "wildcard-page.example";
    let domain = world.domain(name).exo_mx().host("*", Site::always(Act::html())).well_known(Act::xml(documents::stale(name)));
    let stale = |servers| consumer(Cause::WildcardHost, servers);
    let domain = domain.by(&[PACC], nothing(Cause::UnusableDocument));
    let domain = domain.document(stale(HOTMAIL_2014), stale(HOTMAIL_2014_PAIR)).by(&[KMAIL, GEARY], nothing(Cause::UnusableDocument));
    domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain));
    // Right host, password in clear. Thunderbird for Android drops the document, GNOME Online Accounts offers TLS in its
    // place, SnappyMail takes STARTTLS where it is offered.
    let name = "plain-smtp.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::plain_smtp(name)).manual();
    let insecure = |servers| bad(Verdict::Insecure, Cause::NoEncryption, servers);
    let domain = domain.document(insecure(EXO), insecure(EXO_PAIR)).by(&[GNOME, SNAPPYMAIL], ok(EXO_PAIR));
    domain.by(&[ANDROID], ok(EXO_PAIR).fragile(Cause::MxBaseDomain));
    // The hosts of 2011–2014, cut off on 2015-07-08.
    let name = "pod.example";
    let document = documents::imap_smtp(name, "pod51036.outlook.com", "pod51036.outlook.com");
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    let retired = bad(Verdict::Retired, Cause::OwnAutoconfigStale, POD);
    let by_well_known = bad(Verdict::Retired, Cause::OwnWellKnownStale, POD);
    domain.document(retired, retired).by(&[SNAPPYMAIL], by_well_known);
    // The hosts of GCC High, for a mailbox that is not there.
    let name = "wrong-cloud.example";
    let document = documents::imap_smtp(name, "outlook.office365.us", "smtp.office365.us");
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    let wrong = bad(Verdict::WrongCloud, Cause::OwnAutoconfigStale, GOVERNMENT);
    let by_well_known = bad(Verdict::WrongCloud, Cause::OwnWellKnownStale, GOVERNMENT);
    domain.document(wrong, wrong).by(&[SNAPPYMAIL], by_well_known);
    // Right IMAP and POP3, the consumer service's submission: what the database says today, copied.
    let name = "half-stale.example";
    let document = documents::consumer_entry().replace("hotmail.com", name);
    let domain = world.domain(name).exo_mx().outlook().publishes(document).manual();
    domain.shape(HALF_STALE);
    // Names that only look like Microsoft's.
    let name = "look-alike.example";
    let document = documents::imap_smtp(name, "evil-outlook.com", "outlook.com.evil.example");
    let domain = world.domain(name).exo_mx().publishes(document).manual();
    let domain = domain.document(foreign(Cause::OwnAutoconfigStale, LOOK_ALIKE), foreign(Cause::OwnAutoconfigStale, LOOK_ALIKE));
    domain.by(&[SNAPPYMAIL], foreign(Cause::OwnWellKnownStale, LOOK_ALIKE));
}

/// Answers that are no document for one client or for any.
pub fn unusable(world: &mut Builder) {
    // Thunderbird takes text/plain for a success and reads no document from it; the others do not look at the type.
    let name = "text-plain.example";
    let plain = Act::Answer(Answer::typed("text/plain", documents::good(name)));
    let domain = world.domain(name).new_mx().autoconfig(plain).manual();
    domain.shape(GOOD).shape(PAST_SNAPPYMAIL).by(&[THUNDERBIRD, THUNDERBIRD_72], nothing(Cause::UnusableDocument));
    // 204 is a success for Thunderbird, and says nothing: the MX decides. Others go on to the well-known URL; Delta Chat reads to the
    // end of nothing, and asks for nothing else.
    let name = "no-content.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::empty(204)).well_known(Act::xml(documents::good(name)));
    let domain = domain.shape(GOOD_BY_AUTOCONFIG).thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain)).open(&[GEARY]);
    let domain = domain.by(&[SNAPPYMAIL], ok(EXO_PAIR));
    domain.by(&[DELTA, MAILCORE], nothing(Cause::UnusableDocument)).obstacle("https://autoconfig.{d}/", "empty");
    // An empty document of XML type is a failure of that URL alone; not for KMail, to which it is a 200, nor for Delta Chat.
    let name = "empty-xml.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml("")).well_known(Act::xml(documents::good(name)));
    let domain = domain.shape(GOOD_BY_AUTOCONFIG).by(&[KMAIL, GEARY, DELTA, MAILCORE], nothing(Cause::UnusableDocument));
    domain.by(&[SNAPPYMAIL], ok(EXO_PAIR)).obstacle("https://autoconfig.{d}/", "empty");
    // Broken XML is a success of the URL for Thunderbird and KMail: the good one behind it is not considered. What GNOME Online
    // Accounts recovers of it is not certain.
    let name = "malformed.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::xml(documents::cut_off(name)));
    let domain = domain.well_known(Act::xml(documents::good(name)));
    let domain = domain.shape(GOOD_BY_AUTOCONFIG).thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain));
    domain.by(&[SNAPPYMAIL], ok(EXO_PAIR)).by(&[KMAIL, GEARY], nothing(Cause::UnusableDocument)).open(&[GNOME]);
    // A page with 200 on the first URL, a good document on the second, and nothing else to go by.
    let name = "page-kills.example";
    let domain = world.domain(name).new_mx().autoconfig(Act::html()).well_known(Act::xml(documents::good(name))).manual();
    domain.shape(GOOD).by(&[THUNDERBIRD, KMAIL, GEARY], nothing(Cause::UnusableDocument));
    // A page with 200 on the domain's own web server for every path, Autodiscover's too.
    let name = "page-everywhere.example";
    let domain = world.domain(name).new_mx().outlook().root(WELL_KNOWN, Act::html()).root(AUTODISCOVER, Act::html()).manual();
    domain.shape(UNUSABLE).by(&[GEARY], nothing(Cause::NothingPublished)).open(&[THUNDERBIRD_72]);
    // Credentials for a document that must be public.
    let name = "config-guarded.example";
    let domain = world.domain(name).exo_mx().outlook().autoconfig(Act::guarded(&["Basic realm=\"x\""])).passed_over();
    domain.obstacle("https://autoconfig.{d}/", "credentials-required");
    // The same where nothing else answers: who mends it must be told of it.
    let name = "config-guarded-alone.example";
    let domain = world.domain(name).new_mx().autoconfig(Act::guarded(&["Basic realm=\"x\""])).manual();
    domain.shape(UNUSABLE).shape(PAST_SNAPPYMAIL);
    // Submission is missing: no usable document to some, half of the settings to others.
    let name = "no-outgoing.example";
    let document = documents::autoconfig(name, &[("imap", "outlook.office365.com", 993, "SSL", "OAuth2")], &[]);
    let domain = world.domain(name).new_mx().autoconfig(Act::xml(document)).manual();
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, ANDROID, GEARY, FAIREMAIL, MAILCORE], nothing(Cause::UnusableDocument));
    let half = bad(Verdict::NotFound, Cause::NothingPublished, O365_IMAP);
    domain.by(&[EVOLUTION, KMAIL, GNOME, NEXTCLOUD, DELTA], half).shape(PAST_SNAPPYMAIL).open(&[BASE, HIMALAYA, DRAFT]);
}

const EXCHANGE_SMTP: Servers = (&[(Exchange, "outlook.office365.com")], &[(Smtp, "smtp.office365.com")]);
const POD: Servers = (&[(Imap, "pod51036.outlook.com")], &[(Smtp, "pod51036.outlook.com")]);
const GOVERNMENT: Servers = (&[(Imap, "outlook.office365.us")], &[(Smtp, "smtp.office365.us")]);
const LOOK_ALIKE: Servers = (&[(Imap, "evil-outlook.com")], &[(Smtp, "outlook.com.evil.example")]);
const O365_IMAP: Servers = (&[(Imap, "outlook.office365.com")], &[]);
