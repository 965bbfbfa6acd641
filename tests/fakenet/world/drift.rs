//! Late 2026 with one thing changed.

use autodiscover_audit::model::{Cause, Hosting};

use super::{
    World,
    builder::CONFIG,
    documents,
    expected::{EXCHANGE, EXO, EXO_ENTRY, HOTMAIL, HOTMAIL_2014, consumer, nothing, ok, unsure},
    microsoft,
};
use crate::fakenet::{
    site::{Act, Site},
    zone::Trouble,
};

/// The database's business entry answers 503 (M3): Thunderbird ends at Hotmail, and that is no finding about the domain.
pub fn entry_outage() -> World {
    let mut world = microsoft::with_outage();
    world.tenant("contoso", "Contoso", Hosting::default());
    let domain = world.domain("standard.example").exo_mx().outlook();
    let domain = domain.thunderbird(unsure(HOTMAIL)).base(consumer(Cause::MxBaseDomain, HOTMAIL));
    domain.obstacle("https://live.thunderbird.net/autoconfig/v1.1/mail.protection.outlook.com", "server-error");
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).both(ok(EXO));
    let domain = world.domain("new-mx.example").new_mx().outlook();
    domain.thunderbird(ok(EXCHANGE).inferred()).base(nothing(Cause::NothingPublished));
    world.build()
}

/// Microsoft begins to answer at the names that the MX is reduced to (M23): badly at one, well at the other.
pub fn provider_autoconfig() -> World {
    let mut world = microsoft::of_2026();
    world.tenant("contoso", "Contoso", Hosting::default());
    let consumers = Act::xml(documents::stale("outlook.com"));
    world.net.host("autoconfig.outlook.com", Site::empty().https(CONFIG, consumers));
    world.net.host("autoconfig.mx.microsoft", Site::empty().https(CONFIG, Act::xml(documents::good("mx.microsoft"))));
    // The business entry is asked first; behind it stands the new answer.
    let domain = world.domain("standard.example").exo_mx().outlook();
    domain.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxProvider)).base(consumer(Cause::MxBaseDomain, HOTMAIL));
    let domain = world.domain("legacy-mx.example").mx(0, "legacy-mx-example.mail.eo.outlook.com").outlook().manual();
    domain.thunderbird(consumer(Cause::MxProvider, HOTMAIL_2014)).base(consumer(Cause::MxBaseDomain, HOTMAIL));
    let domain = world.domain("new-mx.example").new_mx().outlook();
    domain.thunderbird(ok(EXO)).base(nothing(Cause::NothingPublished));
    world.build()
}

/// Domains whose own document is good, but for these, where it is one of long ago.
pub fn autoconfig(stale: &[&str]) -> World {
    let mut world = microsoft::of_2026();
    world.tenant("contoso", "Contoso", Hosting::default());
    for name in ["one.example", "two.example", "three.example"] {
        let is_stale = stale.contains(&name);
        let document = if is_stale { documents::stale(name) } else { documents::good(name) };
        let domain = world.domain(name).exo_mx().outlook().publishes(document).mail("bert").mail("cleo");
        domain.both(if is_stale { consumer(Cause::OwnAutoconfigStale, HOTMAIL) } else { ok(EXO) });
    }
    world.build()
}

/// The same net when its DNS is down.
pub fn without_dns() -> World {
    let mut world = microsoft::of_2026();
    world.net.zones.trouble_all(Trouble::ServFail);
    world.build()
}
