//! Late 2026 with one thing changed.

use std::collections::BTreeSet;

use autodiscover_audit::model::{Cause, Hosting};

use super::{
    World,
    builder::{Builder, CONFIG},
    client::{ANDROID, DRAFT, EVOLUTION, FAIREMAIL, HIMALAYA, NEXTCLOUD, THUNDERBIRD, THUNDERBIRD_72},
    documents,
    expected::{EXO, EXO_ENTRY, EXO_PAIR, HOTMAIL, HOTMAIL_2014, HOTMAIL_2014_PAIR, HOTMAIL_PAIR, NONE, consumer, ok, unsure},
    microsoft,
    shape::{AUTODISCOVER_ALONE, GOOD, LEGACY_MX, STALE, STANDARD},
};
use crate::fakenet::{
    site::{Act, Site},
    zone::Trouble,
};

/// The database's business entry answers 503 (M3): Thunderbird ends at Hotmail, and that is no finding about the domain. Evolution
/// asks no further.
pub fn entry_outage() -> World {
    let mut world = microsoft::with_outage();
    world.tenant("contoso", "Contoso", Hosting::default());
    let domain = world.domain("standard.example").exo_mx().outlook();
    let domain = domain.shape(STANDARD).by(&[THUNDERBIRD, THUNDERBIRD_72, DRAFT], unsure(HOTMAIL)).by(&[EVOLUTION], unsure(NONE));
    let domain = domain.by(&[ANDROID, NEXTCLOUD], unsure(HOTMAIL_PAIR));
    domain.obstacle("https://live.thunderbird.net/autoconfig/v1.1/mail.protection.outlook.com", "server-error");
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).shape(GOOD);
    world.domain("new-mx.example").new_mx().outlook().shape(AUTODISCOVER_ALONE);
    world.build()
}

/// Microsoft begins to answer at the names that the MX is reduced to (M23): badly at one, well at the other.
pub fn provider_autoconfig() -> World {
    let mut world = microsoft::of_2026();
    world.tenant("contoso", "Contoso", Hosting::default());
    let consumers = Act::xml(documents::stale("outlook.com"));
    world.net.host("autoconfig.outlook.com", Site::empty().https(CONFIG, consumers));
    world.net.host("autoconfig.mx.microsoft", Site::empty().https(CONFIG, Act::xml(documents::good("mx.microsoft"))));
    // The business entry is asked first; behind it stands the new answer. Who goes to the base asks for the new answer first.
    let domain = world.domain("standard.example").exo_mx().outlook().shape(STANDARD);
    let domain = domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxProvider));
    let domain = domain.by(&[ANDROID, NEXTCLOUD], ok(EXO_PAIR).fragile(Cause::MxProvider));
    domain.by(&[DRAFT], consumer(Cause::MxProvider, HOTMAIL_2014)).by(&[HIMALAYA], consumer(Cause::MxProvider, HOTMAIL_2014_PAIR));
    let domain = world.domain("legacy-mx.example").mx(0, "legacy-mx-example.mail.eo.outlook.com").outlook().manual().shape(LEGACY_MX);
    let domain = domain.by(&[THUNDERBIRD, EVOLUTION, DRAFT], consumer(Cause::MxProvider, HOTMAIL_2014));
    domain.by(&[ANDROID, NEXTCLOUD, HIMALAYA], consumer(Cause::MxProvider, HOTMAIL_2014_PAIR));
    let domain = world.domain("new-mx.example").new_mx().outlook().shape(AUTODISCOVER_ALONE);
    domain.by(&[THUNDERBIRD, EVOLUTION, DRAFT], ok(EXO)).by(&[ANDROID, NEXTCLOUD, HIMALAYA, FAIREMAIL], ok(EXO_PAIR));
    world.build()
}

/// Domains whose own document is good, but for these, where it is one of long ago.
pub fn autoconfig(stale: &[&str]) -> World {
    let mut world = microsoft::of_2026();
    world.tenant("contoso", "Contoso", Hosting::default());
    for name in ["one.example", "two.example", "three.example"] {
        own_document(&mut world, name, stale.contains(&name));
    }
    world.build()
}

/// The same for four tenants with ten domains each, by their names.
pub fn of_many(stale: &BTreeSet<String>) -> World {
    let mut world = microsoft::of_2026();
    for tenant in MANY {
        world.tenant(tenant, tenant, Hosting::default());
        for name in domains_of(tenant) {
            own_document(&mut world, &name, stale.contains(&name));
        }
    }
    world.build()
}

/// The domains of one of the tenants of [`of_many`].
pub fn domains_of(tenant: &str) -> impl Iterator<Item = String> {
    (0..10).map(move |number| format!("{tenant}-{number}.example"))
}

fn own_document(world: &mut Builder, name: &str, is_stale: bool) {
    let document = if is_stale { documents::stale(name) } else { documents::good(name) };
    let domain = world.domain(name).exo_mx().outlook().publishes(document).mail("bert").mail("cleo");
    domain.shape(if is_stale { STALE } else { GOOD });
}

/// The same net when its DNS is down.
pub fn without_dns() -> World {
    let mut world = microsoft::of_2026();
    world.net.zones.trouble_all(Trouble::ServFail);
    world.build()
}

/// Three domains that are right: two by their MX alone, one by a document of its own.
pub fn by_mx() -> World {
    by_mx_with(&[])
}

/// The same with other entries in the ISP database.
pub fn by_mx_with(entries: &[(&str, Act)]) -> World {
    let mut world = microsoft::of_2026();
    for (name, act) in entries {
        world.ispdb(&[name], act);
    }
    world.tenant("contoso", "Contoso", Hosting::default());
    for name in ["one.example", "two.example"] {
        world.domain(name).exo_mx().outlook().mail("bert").shape(STANDARD);
    }
    let name = "three.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).shape(GOOD);
    world.finish()
}

/// The tenants of [`of_many`].
pub const MANY: [&str; 4] = ["contoso", "fabrikam", "litware", "northwind"];
