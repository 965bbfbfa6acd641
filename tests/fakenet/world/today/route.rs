//! The ways that lead through others: MX, the ISP database, SRV.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Imap, Smtp},
    Verdict,
};

use super::super::{
    builder::Builder,
    documents,
    expected::{EXCHANGE, EXO, HOSTER, HOTMAIL, HOTMAIL_2014, Servers, bad, consumer, foreign, nothing, ok},
};
use crate::fakenet::{site::Act, zone::Trouble};
use hickory_resolver::proto::rr::RecordType;

/// One MX decides.
pub fn by_mx(world: &mut Builder) {
    // The standard shape. Thunderbird finds the business entry by one label less (M3), the others the consumer's (M1).
    world.domain("standard.example").exo_mx().outlook().mail("bert").mail("carla").mx_decides();
    // The same without Autodiscover, below another domain (M17), and with an answer that needs TCP.
    world.domain("bare.example").exo_mx().mx_decides();
    world.domain("staff.sub-domain.example").exo_mx().outlook().mx_decides();
    world.domain("truncated-dns.example").exo_mx().outlook().trouble("", Some(RecordType::MX), Trouble::Truncated).mx_decides();
    // M2: the host of before 2018. One label less is no key, the base is the consumer's.
    let legacy = |world: &mut Builder, name: &str, mx: &str| {
        let domain = world.domain(name).mx(0, mx).outlook().manual();
        domain.thunderbird(consumer(Cause::MxLegacy, HOTMAIL)).base(consumer(Cause::MxBaseDomain, HOTMAIL));
    };
    legacy(world, "legacy-mx.example", "legacy-mx-example.mail.eo.outlook.com");
    // M2: typed by hand, with a dot where a dash belongs.
    legacy(world, "extra-label.example", "extra-label.example.mail.protection.outlook.com");
    // M2: the German cloud of 2015–2021; its base domain is in the consumer's list.
    legacy(world, "german-mx.example", "german-mx-example.mail.protection.outlook.de");
    // The consumer service's own MX, after a migration that forgot it.
    for (name, mx) in [("olc-mx.example", "olc-mx-example.olc.protection.outlook.com"), ("pamx.example", "0123456789.pamx1.hotmail.com")] {
        world.domain(name).mx(10, mx).outlook().manual().both(consumer(Cause::MxConsumer, HOTMAIL));
    }
    // The new MX is in no database; Autodiscover decides alone, for Thunderbird.
    world
        .domain("new-mx.example")
        .new_mx()
        .outlook()
        .mail("bert")
        .thunderbird(ok(EXCHANGE).inferred())
        .base(nothing(Cause::NothingPublished));
    world.domain("new-mx-bare.example").new_mx().manual().both(nothing(Cause::NothingPublished));
    // A filter in front that publishes nothing (M24).
    let domain = world.domain("filter-mx.example").mx(10, "mx1.filter.example").mx(20, "mx2.filter.example").outlook();
    domain.thunderbird(ok(EXCHANGE).inferred()).base(nothing(Cause::NothingPublished));
    world.domain("filter-bare.example").mx(10, "mx1.filter.example").manual().both(nothing(Cause::NothingPublished));
    // A filter's vendor that publishes settings of its own (M24), which only Thunderbird asks for.
    let domain = world.domain("filter-vendor.example").mx(10, "mx1.cleanmail.example").outlook().manual();
    domain.thunderbird(foreign(Cause::MxProvider, VENDOR)).base(nothing(Cause::NothingPublished));
    // Mail still goes to a hoster that is in the database.
    world.domain("hoster-mx.example").mx(10, "mx1.hoster.example").outlook().manual().both(foreign(Cause::MxProvider, HOSTER));
    // RFC 7505, and a domain that receives its mail itself: no reduction in either.
    let domain = world.domain("null-mx.example").mx(0, ".").outlook().thunderbird(ok(EXCHANGE).inferred());
    domain.base(nothing(Cause::NothingPublished)).obstacle("MX {d}", "not-offered");
    let domain = world.domain("no-mx.example").outlook().thunderbird(ok(EXCHANGE).inferred());
    domain.base(nothing(Cause::NothingPublished)).obstacle("MX {d}", "no-data");
    world.domain("own-mx.example").mx(10, "mail.{d}").manual().both(nothing(Cause::NothingPublished));
    // M17: nobody can publish under onmicrosoft.com; the literal key does not help `contoso`.
    world.domain("contoso.onmicrosoft.com").exo_mx().mx_decides();
    world.domain("fabrikam.onmicrosoft.com").new_mx().manual().both(nothing(Cause::OnMicrosoftDomain));
}

/// Several MX.
pub fn by_several_mx(world: &mut Builder) {
    // M4: two share the first place; which one is listed first decides.
    let domain = world.domain("several-equal.example").exo_mx().mx(0, "several-equal-example.olc.protection.outlook.com");
    domain.outlook().manual().thunderbird(consumer(Cause::MxSeveral, HOTMAIL));
    let domain = world.domain("several-hoster.example").exo_mx().mx(0, "mx1.hoster.example").outlook().manual();
    domain.thunderbird(foreign(Cause::MxSeveral, HOSTER)).base(consumer(Cause::MxSeveral, HOTMAIL));
    // Only the first place counts, whatever stands behind it.
    world.domain("several-good-first.example").exo_mx().mx(20, "mx1.hoster.example").outlook().mx_decides();
    let domain = world.domain("several-bad-first.example").mx(5, "0123456789.pamx1.hotmail.com");
    let domain = domain.mx(10, "several-bad-first-example.mail.protection.outlook.com").outlook().manual();
    domain.both(consumer(Cause::MxConsumer, HOTMAIL));
    // Two of the same kind give the same.
    world.domain("several-alike.example").exo_mx().mx(0, "several-alike-example2.mail.protection.outlook.com").outlook().mx_decides();
}

/// The mail domain itself is in the ISP database.
pub fn by_database(world: &mut Builder) {
    // An entry from before the move to Exchange Online.
    let name = "in-database.example";
    let entry = Act::xml(documents::imap_smtp(name, "imap.old-isp.example", "smtp.old-isp.example"));
    world.domain(name).exo_mx().outlook().ispdb(&entry).manual().both(foreign(Cause::IspdbEntry, OLD));
    // Exchange Online for reading, a relay of its own for sending, and nobody said that this is right.
    let name = "relay-unknown.example";
    let entry = Act::xml(documents::imap_smtp(name, "outlook.office365.com", "outgoing.relay-unknown.example"));
    world.domain(name).exo_mx().outlook().ispdb(&entry).manual().both(foreign(Cause::IspdbEntry, RELAY));
    // A second address at the consumer service, used in the wizard.
    world.domain("hotmail.de").mx(2, "hotmail-de.olc.protection.outlook.com").manual().both(consumer(Cause::IspdbEntry, HOTMAIL));
    // Autoconfig of its own outranks the entry.
    let name = "both-database-and-own.example";
    let entry = Act::xml(documents::stale(name));
    let domain = world.domain(name).exo_mx().outlook().ispdb(&entry).autoconfig(Act::xml(documents::good(name)));
    domain.both(ok(EXO).fragile(Cause::IspdbEntry));
}

/// SRV records (RFC 6186, RFC 8314).
pub fn by_srv(world: &mut Builder) {
    // Every service decidedly not offered.
    let mut domain = world.domain("srv-nothing.example").exo_mx().outlook();
    for service in ["imap", "imaps", "pop3", "pop3s", "submission", "submissions"] {
        domain = domain.srv(service, (0, 0, 0), ".");
    }
    domain.mx_decides().by_srv(nothing(Cause::NothingPublished)).obstacle("SRV _imaps._tcp.{d}", "not-offered");
    // Incoming only, and right.
    let domain = world.domain("srv-incoming.example").exo_mx().outlook().srv("imaps", (0, 1, 993), "outlook.office365.com");
    domain.mx_decides().by_srv(bad(Verdict::NotFound, Cause::NothingPublished, O365_IMAP));
    // Reading is right, sending is the consumer service's.
    let domain = world.domain("srv-half.example").exo_mx().outlook().srv("imaps", (0, 1, 993), "outlook.office365.com");
    let domain = domain.srv("submission", (0, 1, 587), "smtp-mail.outlook.com");
    domain.mx_decides().by_srv(consumer(Cause::SrvStale, LAST));
    // M8: stale, in a domain whose document is right.
    let name = "srv-stale.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.srv("imaps", (0, 1, 993), "imap-mail.outlook.com").srv("pop3s", (5, 1, 995), "pop-mail.outlook.com");
    domain.srv("submission", (0, 1, 587), "smtp-mail.outlook.com").both(ok(EXO)).by_srv(consumer(Cause::SrvStale, HOTMAIL_2014));
}

const VENDOR: Servers = (&[(Imap, "imap.cleanmail.example")], &[(Smtp, "smtp.cleanmail.example")]);
const OLD: Servers = (&[(Imap, "imap.old-isp.example")], &[(Smtp, "smtp.old-isp.example")]);
const RELAY: Servers = (&[(Imap, "outlook.office365.com")], &[(Smtp, "outgoing.relay-unknown.example")]);
const LAST: Servers = (&[(Imap, "outlook.office365.com")], &[(Smtp, "smtp-mail.outlook.com")]);
const O365_IMAP: Servers = (&[(Imap, "outlook.office365.com")], &[]);
