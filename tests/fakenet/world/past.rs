//! The internet of 2014: the ISP database's `outlook.com` is Hotmail, and has no key for Exchange Online.

use autodiscover_audit::model::{Cause, Hosting};

use super::{
    World,
    client::{
        ANDROID, AOSP, BASE, DELTA, DRAFT, EVOLUTION, GEARY, GNOME, HIMALAYA, KMAIL, MAILCORE, NEXTCLOUD, SNAPPYMAIL, THUNDERBIRD,
        THUNDERBIRD_72,
    },
    documents,
    expected::{AOSP_HOTMAIL, EXO_PAIR, HOTMAIL_2014, HOTMAIL_2014_PAIR, consumer, nothing, ok},
    microsoft,
    shape::{AUTODISCOVER_ALONE, GOOD, LEGACY_MX, Shape},
};

/// Between 2013-09-16 and 2019-06-12, asked by the clients of today.
pub fn of_2014() -> World {
    let mut world = microsoft::of_2014();
    let world = &mut world;
    world.tenant("contoso", "Contoso", Hosting::default());
    // M1, and for the clients that try one label less: they get only the base (M2).
    world.domain("standard.example").exo_mx().outlook().manual().shape(LEGACY_MX).shape(TRAPPED);
    let domain = world.domain("contoso.onmicrosoft.com").exo_mx().outlook().manual().shape(LEGACY_MX).shape(TRAPPED);
    domain.by(&[KMAIL, GEARY, DELTA, MAILCORE, SNAPPYMAIL], nothing(Cause::OnMicrosoftDomain));
    let domain = world.domain("legacy-mx.example").mx(0, "legacy-mx-example.mail.eo.outlook.com").outlook().manual();
    domain.shape(LEGACY_MX).shape(TRAPPED);
    let domain = world.domain("olc-mx.example").mx(0, "olc-mx-example.olc.protection.outlook.com").outlook().manual();
    let domain = domain.shape(LEGACY_MX);
    let domain = domain.by(&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, BASE, DRAFT], consumer(Cause::MxConsumer, HOTMAIL_2014));
    domain.by(&[ANDROID, NEXTCLOUD, GNOME, HIMALAYA], consumer(Cause::MxConsumer, HOTMAIL_2014_PAIR));
    // An own document on every URL is the way out.
    let name = "own-good.example";
    world.domain(name).exo_mx().outlook().publishes(documents::good(name)).shape(GOOD);
    // Without a filter in front there is a trap; with one there is only Autodiscover.
    let domain = world.domain("filter-mx.example").mx(10, "mx1.filter.example").outlook();
    domain.shape(AUTODISCOVER_ALONE);
    // A consumer's own address.
    let domain = world.domain("hotmail.de").mx(5, "mx1.hotmail.com").manual();
    let domain = domain.document(consumer(Cause::IspdbEntry, HOTMAIL_2014), consumer(Cause::IspdbEntry, HOTMAIL_2014_PAIR));
    let domain = domain.by(&[MAILCORE], consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR));
    let domain = domain.by(&[GEARY], consumer(Cause::ProviderId, HOTMAIL_2014_PAIR));
    domain.by(&[AOSP], consumer(Cause::BuiltInTable, AOSP_HOTMAIL)).by_fairemail(ok(EXO_PAIR));
    std::mem::take(world).build()
}

/// On top of [`LEGACY_MX`]: the hosts of that time.
const TRAPPED: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, DRAFT], consumer(Cause::MxLegacy, HOTMAIL_2014)),
    (&[ANDROID, NEXTCLOUD], consumer(Cause::MxLegacy, HOTMAIL_2014_PAIR)),
    (&[BASE], consumer(Cause::MxBaseDomain, HOTMAIL_2014)),
    (&[GNOME, HIMALAYA], consumer(Cause::MxBaseDomain, HOTMAIL_2014_PAIR)),
];
