//! The ways that lead through others: MX, the ISP database, SRV.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Imap, Smtp},
    Verdict,
};

use super::super::{
    builder::Builder,
    client::{
        ANDROID, AOSP, BASE, DELTA, DRAFT, EVOLUTION, FAIREMAIL, GEARY, GNOME, HIMALAYA, KMAIL, MAILCORE, NEXTCLOUD, SNAPPYMAIL,
        THUNDERBIRD, THUNDERBIRD_72,
    },
    documents,
    expected::{
        AOSP_HOTMAIL, EXO, EXO_PAIR, HOSTER, HOSTER_PAIR, HOTMAIL, HOTMAIL_2014, HOTMAIL_2014_PAIR, HOTMAIL_PAIR, Servers, bad, consumer,
        foreign, nothing, ok,
    },
    shape::{AUTODISCOVER_ALONE, BARE, CONSUMER_MX, ENTRY_NEXT, GOOD, HOSTER_MX, LEGACY_MX, NOTHING, STANDARD},
};
use crate::fakenet::{site::Act, zone::Trouble};
use hickory_resolver::proto::rr::RecordType;

/// One MX decides.
pub fn by_mx(world: &mut Builder) {
    // The standard shape. Thunderbird finds the business entry by one label less (M3), the others the consumer's (M1).
    world.domain("standard.example").exo_mx().outlook().mail("bert").mail("carla").shape(STANDARD);
    // The same without Autodiscover, below another domain (M17), and with an answer that needs TCP.
    world.domain("bare.example").exo_mx().shape(STANDARD).shape(BARE);
    world.domain("staff.sub-domain.example").exo_mx().outlook().shape(STANDARD);
    world.domain("truncated-dns.example").exo_mx().outlook().trouble("", Some(RecordType::MX), Trouble::Truncated).shape(STANDARD);
    // M2: the host of before 2018. One label less is no key, the base is the consumer's.
    world.domain("legacy-mx.example").mx(0, "legacy-mx-example.mail.eo.outlook.com").outlook().manual().shape(LEGACY_MX);
    // M2: typed by hand, with a dot where a dash belongs. Evolution comes by the right name all the same.
    let domain = world.domain("extra-label.example").mx(0, "extra-label.example.mail.protection.outlook.com").outlook().manual();
    domain.shape(LEGACY_MX).by(&[EVOLUTION], ok(EXO));
    // M2: the German cloud of 2015–2021; its base domain is in the consumer's list.
    world.domain("german-mx.example").mx(0, "german-mx-example.mail.protection.outlook.de").outlook().manual().shape(LEGACY_MX);
    // The consumer service's own MX, after a migration that forgot it.
    for (name, mx) in [("olc-mx.example", "olc-mx-example.olc.protection.outlook.com"), ("pamx.example", "0123456789.pamx1.hotmail.com")] {
        let domain = world.domain(name).mx(10, mx).outlook().manual().shape(CONSUMER_MX);
        // FairEmail has a profile with the host that the entry names, or one by the MX
        domain.by_fairemail(if name == "pamx.example" { ok(EXO_PAIR) } else { consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR) });
    }
    // The new MX is in no database; Autodiscover decides alone, for Thunderbird.
    world.domain("new-mx.example").new_mx().outlook().mail("bert").shape(AUTODISCOVER_ALONE);
    world.domain("new-mx-bare.example").new_mx().manual().shape(NOTHING);
    // A filter in front that publishes nothing (M24).
    let domain = world.domain("filter-mx.example").mx(10, "mx1.filter.example").mx(20, "mx2.filter.example").outlook();
    domain.shape(AUTODISCOVER_ALONE);
    world.domain("filter-bare.example").mx(10, "mx1.filter.example").manual().shape(NOTHING);
    // A filter's vendor that publishes settings of its own (M24), for which Thunderbird asks since 125, and some others.
    let domain = world.domain("filter-vendor.example").mx(10, "mx1.cleanmail.example").outlook().manual();
    let domain = domain.shape(AUTODISCOVER_ALONE);
    domain.by(&[THUNDERBIRD, ANDROID, EVOLUTION, NEXTCLOUD, HIMALAYA, DRAFT, FAIREMAIL], foreign(Cause::MxProvider, VENDOR));
    // Mail still goes to a hoster that is in the database.
    world.domain("hoster-mx.example").mx(10, "mx1.hoster.example").outlook().manual().shape(HOSTER_MX);
    // RFC 7505, and a domain that receives its mail itself: no reduction in either.
    world.domain("null-mx.example").mx(0, ".").outlook().shape(AUTODISCOVER_ALONE).obstacle("MX {d}", "not-offered");
    world.domain("no-mx.example").outlook().shape(AUTODISCOVER_ALONE).obstacle("MX {d}", "no-data");
    world.domain("own-mx.example").mx(10, "mail.{d}").manual().shape(NOTHING);
    // M17: nobody can publish under onmicrosoft.com; the literal key does not help `contoso`.
    let nobody = nothing(Cause::OnMicrosoftDomain);
    world.domain("contoso.onmicrosoft.com").exo_mx().shape(STANDARD).by(&[KMAIL, GEARY, DELTA, MAILCORE, SNAPPYMAIL], nobody);
    world.domain("fabrikam.onmicrosoft.com").new_mx().manual().document(nobody, nobody);
}

/// Several MX.
pub fn by_several_mx(world: &mut Builder) {
    // M4: two share the first place; which one is listed first decides.
    let domain = world.domain("several-equal.example").exo_mx().mx(0, "several-equal-example.olc.protection.outlook.com");
    let domain = domain.outlook().manual().shape(STANDARD).open(&[BASE, HIMALAYA, GNOME]);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, DRAFT], consumer(Cause::MxSeveral, HOTMAIL));
    domain.by(&[ANDROID, NEXTCLOUD], consumer(Cause::MxSeveral, HOTMAIL_PAIR));
    let domain = world.domain("several-hoster.example").exo_mx().mx(0, "mx1.hoster.example").outlook().manual();
    let domain = domain.shape(STANDARD).by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, DRAFT], foreign(Cause::MxSeveral, HOSTER));
    let domain = domain.by_fairemail(consumer(Cause::MxSeveral, HOTMAIL_2014_PAIR));
    let domain = domain.by(&[ANDROID, NEXTCLOUD], foreign(Cause::MxSeveral, HOSTER_PAIR));
    domain.by(&[BASE], consumer(Cause::MxSeveral, HOTMAIL)).by(&[GNOME, HIMALAYA], consumer(Cause::MxSeveral, HOTMAIL_PAIR));
    // Only the first place counts, whatever stands behind it; not for Nextcloud's server, which takes what the resolver lists first.
    let domain = world.domain("several-good-first.example").exo_mx().mx(20, "mx1.hoster.example").outlook();
    let domain = domain.shape(STANDARD).by_fairemail(consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR));
    domain.by(&[NEXTCLOUD], foreign(Cause::MxSeveral, HOSTER_PAIR));
    let domain = world.domain("several-bad-first.example").mx(5, "0123456789.pamx1.hotmail.com");
    let domain = domain.mx(10, "several-bad-first-example.mail.protection.outlook.com").outlook().manual();
    domain.shape(CONSUMER_MX).by_fairemail(ok(EXO_PAIR)).by(&[NEXTCLOUD], consumer(Cause::MxSeveral, HOTMAIL_PAIR));
    // Two of the same kind give the same.
    world.domain("several-alike.example").exo_mx().mx(0, "several-alike-example2.mail.protection.outlook.com").outlook().shape(STANDARD);
}

/// The mail domain itself is in the ISP database.
pub fn by_database(world: &mut Builder) {
    // An entry from before the move to Exchange Online.
    let name = "in-database.example";
    let entry = Act::xml(documents::imap_smtp(name, "imap.old-isp.example", "smtp.old-isp.example"));
    let old = foreign(Cause::IspdbEntry, OLD);
    let domain = world.domain(name).exo_mx().outlook().ispdb(&entry).manual().document(old, old);
    domain.by(&[MAILCORE], nothing(Cause::NothingPublished));
    // Exchange Online for reading, a relay of its own for sending, and nobody said that this is right.
    let name = "relay-unknown.example";
    let entry = Act::xml(documents::imap_smtp(name, "outlook.office365.com", "outgoing.relay-unknown.example"));
    let relay = foreign(Cause::IspdbEntry, RELAY);
    let domain = world.domain(name).exo_mx().outlook().ispdb(&entry).manual().document(relay, relay);
    domain.by(&[MAILCORE], nothing(Cause::NothingPublished));
    // A second address at the consumer service, used in the wizard.
    let domain = world.domain("hotmail.de").mx(2, "hotmail-de.olc.protection.outlook.com").manual();
    let domain = domain.document(consumer(Cause::IspdbEntry, HOTMAIL), consumer(Cause::IspdbEntry, HOTMAIL_PAIR));
    let domain = domain.by(&[GEARY], consumer(Cause::ProviderId, HOTMAIL_2014_PAIR));
    // Three have tables with the domain: two of them from long ago.
    let domain = domain.by(&[MAILCORE], consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR)).by_fairemail(ok(EXO_PAIR));
    domain.by(&[AOSP], consumer(Cause::BuiltInTable, AOSP_HOTMAIL));
    // Autoconfig of its own outranks the entry.
    let name = "both-database-and-own.example";
    let entry = Act::xml(documents::stale(name));
    let domain = world.domain(name).exo_mx().outlook().ispdb(&entry).autoconfig(Act::xml(documents::good(name)));
    domain.shape(GOOD).shape(ENTRY_NEXT);
}

/// SRV records (RFC 6186, RFC 8314).
pub fn by_srv(world: &mut Builder) {
    // Every service decidedly not offered.
    let mut domain = world.domain("srv-nothing.example").exo_mx().outlook();
    for service in ["imap", "imaps", "pop3", "pop3s", "submission", "submissions"] {
        domain = domain.srv(service, (0, 0, 0), ".");
    }
    domain.shape(STANDARD).by_srv(nothing(Cause::NothingPublished)).obstacle("SRV _imaps._tcp.{d}", "not-offered");
    // Incoming only, and right.
    let domain = world.domain("srv-incoming.example").exo_mx().outlook().srv("imaps", (0, 1, 993), "outlook.office365.com");
    // Should the database fail, the records are what Evolution has.
    let domain = domain.shape(STANDARD).by(&[EVOLUTION], ok(EXO).fragile(Cause::NothingPublished));
    domain.by_srv(bad(Verdict::NotFound, Cause::NothingPublished, O365_IMAP));
    // Reading is right, sending is the consumer service's.
    let domain = world.domain("srv-half.example").exo_mx().outlook().srv("imaps", (0, 1, 993), "outlook.office365.com");
    let domain = domain.srv("submission", (0, 1, 587), "smtp-mail.outlook.com");
    let domain = domain.shape(STANDARD).by(&[EVOLUTION], ok(EXO).fragile(Cause::SrvStale));
    domain.by_srv(consumer(Cause::SrvStale, LAST));
    // M8: stale, in a domain whose document is right.
    let name = "srv-stale.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.srv("imaps", (0, 1, 993), "imap-mail.outlook.com").srv("pop3s", (5, 1, 995), "pop-mail.outlook.com");
    domain.srv("submission", (0, 1, 587), "smtp-mail.outlook.com").shape(GOOD).by_srv(consumer(Cause::SrvStale, HOTMAIL_2014));
}

const VENDOR: Servers = (&[(Imap, "imap.cleanmail.example")], &[(Smtp, "smtp.cleanmail.example")]);
const OLD: Servers = (&[(Imap, "imap.old-isp.example")], &[(Smtp, "smtp.old-isp.example")]);
const RELAY: Servers = (&[(Imap, "outlook.office365.com")], &[(Smtp, "outgoing.relay-unknown.example")]);
const LAST: Servers = (&[(Imap, "outlook.office365.com")], &[(Smtp, "smtp-mail.outlook.com")]);
const O365_IMAP: Servers = (&[(Imap, "outlook.office365.com")], &[]);
