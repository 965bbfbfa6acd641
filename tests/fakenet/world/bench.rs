//! A world of any size, in which nothing is slow.

use std::sync::Arc;

use autodiscover_audit::model::{Cause, Hosting};

use super::{
    World, WorldMailbox,
    builder::{Builder, CONFIG, WELL_KNOWN},
    client::THUNDERBIRD,
    documents,
    expected::{EXCHANGE, EXO, EXO_ENTRY, Expected, HOTMAIL_2014, Should, consumer, ok},
    microsoft,
};
use crate::fakenet::{
    microsoft::Tenancy,
    site::{Act, Site},
    zone::Data,
};

/// Domains `d0.example`, `d1.example`, … in four shapes that take turns: the standard one, an own good document, the new MX
/// with Autodiscover, a stale document. Mailboxes `u0@d0.example`, `u1@d1.example`, … go round. What is expected is there for
/// Thunderbird and the first mailbox of each shape.
pub fn bench(domains: usize, mailboxes: usize) -> World {
    let mut world = microsoft::of_2026();
    world.tenant("bench", "Bench", Hosting::default());
    let shapes = Shapes::new();
    for domain in 0..domains {
        shapes.put(&mut world, domain);
    }
    let list = (0..mailboxes).map(|user| {
        let domain = user % domains;
        WorldMailbox { needs_manual: domain % 4 == 3, ..WorldMailbox::new(format!("u{user}@d{domain}.example")) }
    });
    let expected = (0..domains.min(mailboxes).min(4)).map(|at| {
        let mailbox = WorldMailbox::new(format!("u{at}@d{at}.example"));
        Expected::of(&mailbox, THUNDERBIRD, shape(at))
    });
    let mut world = world.finish();
    world.expected = expected.collect();
    world.tenants[0].mailboxes = list.collect();
    world
}

fn shape(at: usize) -> Should {
    match at % 4 {
        0 => ok(EXO_ENTRY).fragile(Cause::MxBaseDomain),
        1 => ok(EXO),
        2 => ok(EXCHANGE).inferred(),
        _ => consumer(Cause::OwnAutoconfigStale, HOTMAIL_2014),
    }
}

/// The web hosts, shared by all domains.
struct Shapes {
    empty: Arc<Site>,
    good: Arc<Site>,
    good_root: Arc<Site>,
    stale: Arc<Site>,
}

impl Shapes {
    fn new() -> Self {
        let good = Act::xml(documents::good("bench.example"));
        let stale = Act::xml(documents::stale("bench.example"));
        Self {
            empty: Arc::new(Site::empty()),
            good: Arc::new(Site::empty().https(CONFIG, good.clone())),
            good_root: Arc::new(Site::empty().https(WELL_KNOWN, good)),
            stale: Arc::new(Site::empty().https(CONFIG, stale)),
        }
    }

    fn put(&self, world: &mut Builder, at: usize) {
        let name = format!("d{at}.example");
        let root = if at % 4 == 1 { &self.good_root } else { &self.empty };
        world.net.host(&name, Arc::clone(root));
        world.net.microsoft.enter_domain(&name, Tenancy::of(Hosting::default()));
        match at % 4 {
            1 => world.net.host(&format!("autoconfig.{name}"), Arc::clone(&self.good)),
            3 => world.net.host(&format!("autoconfig.{name}"), Arc::clone(&self.stale)),
            _ => {}
        }
        let service = if at % 4 == 2 { "o-v1.mx.microsoft" } else { "mail.protection.outlook.com" };
        world.net.zones.add(&name, Data::Mx { preference: 0, exchange: format!("d{at}-example.{service}") });
        world.net.alias(&format!("autodiscover.{name}"), "autodiscover.outlook.com");
    }
}
