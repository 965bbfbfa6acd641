//! What depends on the mailbox and on its tenant.

use autodiscover_audit::model::{
    Cause, Cloud, Hosting,
    Protocol::{Imap, Smtp},
    Protocols, Verdict,
};

use super::super::{
    builder::Builder,
    client::{
        ANDROID, AOSP, BASE, DELTA, DRAFT, EVOLUTION, FAIREMAIL, GEARY, GNOME, HIMALAYA, KMAIL, MAILCORE, NEXTCLOUD, SNAPPYMAIL, SRV,
        THUNDERBIRD, THUNDERBIRD_72,
    },
    documents,
    expected::{AOSP_HOTMAIL, EXO, EXO_PAIR, HOTMAIL, HOTMAIL_2014_PAIR, HOTMAIL_PAIR, NONE, Servers, bad, consumer, foreign, nothing, ok},
    shape::{GOOD, GOOD_BY_AUTOCONFIG, HALF_STALE, NOTHING, STALE, STANDARD, STRANGER},
};
use crate::fakenet::{
    microsoft::TenantDirectory,
    site::{Act, Answer},
};

/// Mailboxes of one domain that end differently.
pub fn mailboxes(world: &mut Builder) {
    // The document is made for each user: one was given what was right in 2014. Four clients do not say who asks.
    let name = "per-user.example";
    let act = Act::by_address(&[("bert@per-user.example", Act::xml(documents::stale(name)))], Act::xml(documents::good(name)));
    let domain = world.domain(name).exo_mx().outlook().mail("bert").autoconfig(act).manual_for("bert");
    let domain = domain.shape(GOOD_BY_AUTOCONFIG).shape_for("bert", STALE);
    domain.by_for("bert", &[KMAIL], ok(EXO)).by_for("bert", &[ANDROID, GEARY, MAILCORE], ok(EXO_PAIR)).by_for(
        "bert",
        &[SNAPPYMAIL],
        nothing(Cause::UnusableDocument),
    );
    // Made for each user, and the same but for the address. Thunderbird for Android, KMail, Geary and Mailspring do not
    // name it, and get a document with empty user names.
    let name = "per-user-alike.example";
    let filled = Act::Filled(Answer::xml(documents::good(name).replace("%EMAILADDRESS%", "{address}")));
    let domain = world.domain(name).exo_mx().outlook().mail("bert").autoconfig(filled);
    domain.shape(GOOD_BY_AUTOCONFIG);
    // Nobody configures what is switched off.
    let name = "protocols.example";
    let off = Protocols { imap: false, pop3: false, smtp: false, activesync: true };
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::stale(name));
    let domain = domain.mail_without("bert", off).mail_without("carla", Protocols { imap: true, ..off });
    let domain = domain.manual_for("anna").manual_for("carla");
    domain.shape(STALE);
    // Only submission is wrong.
    let name = "submission.example";
    let document = documents::consumer_entry().replace("hotmail.com", name);
    let domain = world.domain(name).exo_mx().outlook().publishes(document);
    let domain = domain.mail_without("bert", Protocols { smtp: false, ..Protocols::default() });
    let domain = domain.mail_without("carla", Protocols { smtp: true, ..off }).manual_for("anna").manual_for("carla");
    domain.shape(HALF_STALE);
    // Nothing is found, and nothing is missed by who has neither IMAP nor POP3.
    let domain = world.domain("protocols-nothing.example").new_mx().mail_without("bert", Protocols { smtp: true, ..off });
    domain.manual_for("anna").shape(NOTHING);
    // One domain, three places to live.
    let name = "mixed.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name));
    let domain = domain.mail_with("bert", |mailbox| mailbox.hosting = Some(Hosting::OnPremises)).manual_for("bert");
    let domain = domain.mail_with("carla", |mailbox| mailbox.hosting = Some(Hosting::Consumer)).manual_for("carla");
    let domain = domain.shape(GOOD).shape_for("bert", STRANGER).shape_for("carla", STRANGER);
    domain.by_fairemail_for("carla", ok(HOTMAIL_2014_PAIR).fragile(Cause::OwnAutoconfigStale));
    // A list with names, one with a character that XML and HTML must escape.
    let domain = world.domain("people.example").exo_mx().outlook();
    let domain = domain.mail_with("o'brien", |mailbox| mailbox.display_name = Some("Óscar O'Brien <Sales & Co>".into()));
    domain.mail_with("=cmd+1", |mailbox| mailbox.display_name = Some("=HYPERLINK(\"x\")".into())).shape(STANDARD);
}

/// Tenants that differ.
pub fn others(world: &mut Builder) {
    // A relay of its own beside Exchange Online, and its administrators say that this is right.
    world.tenant("campus", "Campus", Hosting::default()).allowed_hosts = vec!["outgoing.campus.example"];
    let name = "campus.example";
    let entry = Act::xml(documents::imap_smtp(name, "outlook.office365.com", "outgoing.campus.example"));
    let domain = world.domain(name).exo_mx().outlook().ispdb(&entry);
    let domain = domain.document(ok(CAMPUS), ok(CAMPUS)).by(&[MAILCORE], nothing(Cause::NothingPublished));
    domain.by(&[BASE, HIMALAYA, GNOME], ok(CAMPUS).fragile(Cause::MxBaseDomain));
    government(world);
    on_premises(world);
    // The consumer service, and right so.
    world.tenant("family", "Family", Hosting::Consumer);
    let domain = world.domain("vanity.example").mx(10, "vanity-example.olc.protection.outlook.com");
    let domain = domain.known_as(|tenancy| tenancy.directory = TenantDirectory::None);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, BASE, EVOLUTION, DRAFT], ok(HOTMAIL));
    domain
        .by(&[ANDROID, GNOME, NEXTCLOUD, HIMALAYA], ok(HOTMAIL_PAIR))
        .by(&[KMAIL, GEARY, DELTA, MAILCORE, SNAPPYMAIL], nothing(Cause::NothingPublished));
    // Geary takes the database's entry by its id, and has hosts of its own for it.
    let domain = world.domain("outlook.de").mx(2, "outlook-de.olc.protection.outlook.com");
    let domain = domain.document(ok(HOTMAIL), ok(HOTMAIL_PAIR)).by(&[GEARY, MAILCORE], ok(HOTMAIL_2014_PAIR));
    domain.by(&[AOSP], ok(AOSP_HOTMAIL)).by_fairemail(foreign(Cause::BuiltInTable, EXO_PAIR));
    let name = "family-stray.example";
    let domain = world.domain(name).mx(10, "family-stray-example.olc.protection.outlook.com").publishes(documents::good(name)).manual();
    let domain = domain.known_as(|tenancy| tenancy.directory = TenantDirectory::None).shape(STRANGER);
    domain.by_fairemail(ok(HOTMAIL_2014_PAIR).fragile(Cause::OwnAutoconfigStale));
    // Users with clients that go by SRV: what is a risk elsewhere is a finding here.
    world.tenant("by-srv", "By SRV", Hosting::default()).clients = vec![THUNDERBIRD, SRV];
    let name = "srv-audited.example";
    let domain = world.domain(name).exo_mx().outlook().publishes(documents::good(name)).manual();
    let domain = domain.srv("imaps", (0, 1, 993), "imap-mail.outlook.com").srv("submission", (0, 1, 587), "smtp-mail.outlook.com");
    domain.shape(GOOD).by_srv(consumer(Cause::SrvStale, CONSUMER));
    // Users with old clients: the standard shape is a finding.
    world.tenant("by-base", "By base domain", Hosting::default()).clients = vec![BASE];
    world.domain("old-clients.example").exo_mx().outlook().manual().shape(STANDARD);
}

/// GCC High: neither Thunderbird has OAuth for its hosts.
fn government(world: &mut Builder) {
    world.tenant("agency", "Agency", Hosting::ExchangeOnline(Cloud::UsGovernment));
    let mx = |name: &str| format!("{}.mail.protection.office365.us", name.replace('.', "-"));
    let name = "agency.example";
    let document = documents::imap_smtp(name, "outlook.office365.us", "smtp.office365.us");
    world.domain(name).mx(0, &mx(name)).publishes(document).document(ok(GOVERNMENT), ok(GOVERNMENT));
    let name = "agency-oauth.example";
    let document = documents::imap_smtp_oauth(name, "outlook.office365.us", "smtp.office365.us");
    let domain = world.domain(name).mx(0, &mx(name)).publishes(document).manual();
    let domain = domain.document(ok(GOVERNMENT), ok(GOVERNMENT));
    domain.by(&[THUNDERBIRD, ANDROID], nothing(Cause::UnusableDocument));
    let name = "agency-worldwide.example";
    let domain = world.domain(name).mx(0, &mx(name)).publishes(documents::good(name)).manual();
    let wrong = |servers| bad(Verdict::WrongCloud, Cause::OwnAutoconfigStale, servers);
    let by_well_known = bad(Verdict::WrongCloud, Cause::OwnWellKnownStale, EXO_PAIR);
    domain.document(wrong(EXO), wrong(EXO_PAIR)).by(&[SNAPPYMAIL], by_well_known);
}

fn on_premises(world: &mut Builder) {
    world.tenant("works", "Works", Hosting::OnPremises);
    let name = "works.example";
    let document = documents::imap_smtp(name, "mail.works.example", "mail.works.example");
    world.domain(name).mx(10, "mail.{d}").publishes(document).document(ok(WORKS), ok(WORKS));
    // The same for every domain of a panel. Who fills no placeholder into a host configures one that nobody has.
    let name = "works-panel.example";
    let document = documents::imap_smtp(name, "mail.%EMAILDOMAIN%", "mail.%EMAILDOMAIN%");
    let domain = world.domain(name).mx(10, "mail.{d}").publishes(document).document(ok(PANEL), ok(PANEL)).open(&[HIMALAYA]);
    let domain = domain.by(&[GEARY, GNOME, NEXTCLOUD, FAIREMAIL, SNAPPYMAIL, MAILCORE], nothing(Cause::UnusableDocument));
    // Evolution puts nothing in its place.
    domain.by(&[EVOLUTION], foreign(Cause::OwnAutoconfigStale, (&[(Imap, "mail")], &[(Smtp, "mail")])));
    // Only Autodiscover, behind credentials, at the organisation's own.
    let domain = world.domain("works-guarded.example").mx(10, "mail.{d}").autodiscover(Act::guarded(&["Negotiate", "NTLM"]));
    let domain = domain.shape(NOTHING).by(&[DELTA, FAIREMAIL, SNAPPYMAIL], nothing(Cause::UnusableDocument));
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, GNOME], ok(NONE).inferred().servers_open());
    let name = "works-stale.example";
    let domain = world.domain(name).mx(10, "mail.{d}").publishes(documents::stale(name)).manual();
    domain.shape(STALE);
    let name = "works-cloud.example";
    let domain = world.domain(name).mx(10, "mail.{d}").publishes(documents::good(name)).manual();
    domain.shape(STRANGER);
    super::guess::own_hosts(world);
    // One mailbox has moved.
    let name = "works-moved.example";
    let domain = world.domain(name).exo_mx().outlook();
    let domain = domain.mail_with("bert", |mailbox| mailbox.hosting = Some(Hosting::default()));
    domain.shape_for("bert", STANDARD).manual_for("anna");
}

const CAMPUS: Servers = (&[(Imap, "outlook.office365.com")], &[(Smtp, "outgoing.campus.example")]);
const GOVERNMENT: Servers = (&[(Imap, "outlook.office365.us")], &[(Smtp, "smtp.office365.us")]);
const PANEL: Servers = (&[(Imap, "mail.{d}")], &[(Smtp, "mail.{d}")]);
const WORKS: Servers = (&[(Imap, "mail.works.example")], &[(Smtp, "mail.works.example")]);
const CONSUMER: Servers = (&[(Imap, "imap-mail.outlook.com")], &[(Smtp, "smtp-mail.outlook.com")]);
