//! The internet of late 2026.

mod autodiscover;
mod guess;
mod obstacle;
mod own;
mod publish;
mod route;
mod service;
mod tenant;

use autodiscover_audit::model::Hosting;

use super::{World, builder::Builder, microsoft};

/// One tenant of Exchange Online with a domain for every way to go right or wrong, and a few tenants that differ.
pub fn today() -> World {
    let mut world = microsoft::of_2026();
    world.tenant("contoso", "Contoso", Hosting::default());
    own::right(&mut world);
    own::wrong(&mut world);
    own::unusable(&mut world);
    route::by_mx(&mut world);
    route::by_several_mx(&mut world);
    route::by_database(&mut world);
    route::by_srv(&mut world);
    publish::pacc(&mut world);
    publish::jmap(&mut world);
    service::detected(&mut world);
    service::redirected(&mut world);
    service::contradicted(&mut world);
    service::phones(&mut world);
    service::at_the_root(&mut world);
    guess::hosts(&mut world);
    guess::tables(&mut world);
    autodiscover::guarded(&mut world);
    autodiscover::open(&mut world);
    autodiscover::refusing(&mut world);
    autodiscover::decided(&mut world);
    service::behind(&mut world);
    obstacle::of_dns(&mut world);
    obstacle::of_connections(&mut world);
    obstacle::of_certificates(&mut world);
    obstacle::of_http(&mut world);
    obstacle::of_redirects(&mut world);
    obstacle::elsewhere(&mut world);
    tenant::mailboxes(&mut world);
    tenant::others(&mut world);
    Builder::build(world)
}
