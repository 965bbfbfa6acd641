//! The internet of 2014: the ISP database's `outlook.com` is Hotmail, and has no key for Exchange Online.

use autodiscover_audit::model::{Cause, Hosting};

use super::{
    World,
    builder::Builder,
    documents,
    expected::{EXCHANGE, EXO, HOTMAIL_2014, consumer, nothing, ok},
    microsoft,
};

/// Between 2013-09-16 and 2019-06-12, asked by the clients of today.
pub fn of_2014() -> World {
    let mut world = microsoft::of_2014();
    let world = &mut world;
    world.tenant("contoso", "Contoso", Hosting::default());
    // M1, and for the client that tries one label less: it gets only the base (M2).
    let trapped = |world: &mut Builder, name: &str| {
        let domain = world.domain(name).exo_mx().outlook().manual();
        domain.thunderbird(consumer(Cause::MxLegacy, HOTMAIL_2014)).base(consumer(Cause::MxBaseDomain, HOTMAIL_2014));
    };
    trapped(world, "standard.example");
    trapped(world, "contoso.onmicrosoft.com");
    let domain = world.domain("legacy-mx.example").mx(0, "legacy-mx-example.mail.eo.outlook.com").outlook().manual();
    domain.thunderbird(consumer(Cause::MxLegacy, HOTMAIL_2014)).base(consumer(Cause::MxBaseDomain, HOTMAIL_2014));
    let domain = world.domain("olc-mx.example").mx(0, "olc-mx-example.olc.protection.outlook.com").outlook().manual();
    domain.both(consumer(Cause::MxConsumer, HOTMAIL_2014));
    // An own document on every URL is the way out.
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).both(ok(EXO));
    // Without a filter in front there is a trap; with one there is only Autodiscover.
    let domain = world.domain("filter-mx.example").mx(10, "mx1.filter.example").outlook();
    domain.thunderbird(ok(EXCHANGE).inferred()).base(nothing(Cause::NothingPublished));
    // A consumer's own address.
    world.domain("hotmail.de").mx(5, "mx1.hotmail.com").manual().both(consumer(Cause::IspdbEntry, HOTMAIL_2014));
    std::mem::take(world).build()
}
