//! What Microsoft and the ISP database answer, with a few hosters beside them.

use autodiscover_audit::model::Cloud;

use super::{
    builder::{AUTODISCOVER, Builder},
    documents,
};
use crate::fakenet::{
    microsoft::{CloudHosts, Service, hosts, sign_in_first},
    site::{Act, Answer, Site, Tls},
};

/// Keys of the business entry, 2026.
const BUSINESS: [&str; 3] = ["office365.com", "onmicrosoft.com", "mail.protection.outlook.com"];
/// Some of the 103 keys of the consumer entry, 2026. `pamx1.hotmail.com` is none of them.
const CONSUMER: [&str; 12] = [
    "hotmail.com",
    "live.com",
    "msn.com",
    "outlook.com",
    "windowslive.com",
    "outlook.de",
    "outlook.fr",
    "hotmail.de",
    "hotmail.fr",
    "live.de",
    "livemail.tw",
    "olc.protection.outlook.com",
];
/// Keys of the consumer entry, 2014.
const CONSUMER_2014: [&str; 5] = ["hotmail.com", "live.com", "msn.com", "outlook.com", "hotmail.de"];

/// Late 2026.
pub fn of_2026() -> Builder {
    let mut world = Builder::default();
    services(&mut world);
    hosters(&mut world);
    world.ispdb(&BUSINESS, &Act::xml(documents::business_entry()));
    world.ispdb(&CONSUMER, &Act::xml(documents::consumer_entry()));
    world
}

/// Between 2013-09-16 and 2019-06-12.
pub fn of_2014() -> Builder {
    let mut world = Builder::default();
    services(&mut world);
    hosters(&mut world);
    world.ispdb(&CONSUMER_2014, &Act::xml(documents::stale("hotmail.com")));
    world
}

/// Late 2026, while the database's business entry is out of order (M3).
pub fn with_outage() -> Builder {
    let mut world = Builder::default();
    services(&mut world);
    world.ispdb(&BUSINESS, &Act::status(503));
    world.ispdb(&CONSUMER, &Act::xml(documents::consumer_entry()));
    world
}

/// The ISP database under its three names, and Microsoft's services.
fn services(world: &mut Builder) {
    for (host, before) in [("live.thunderbird.net", "/autoconfig/v1.1/"), ("autoconfig.thunderbird.net", "/v1.1/"), ("v1.ispdb.net", "/")] {
        world.net.host(host, Site::empty().any_https(Act::Database(before)));
    }
    autodiscover(world);
    world.net.host("prod.autodetect.outlook.cloud.microsoft", Site::empty().any_https(Act::Microsoft(Service::AutoDetect)));
    for cloud in Cloud::ALL {
        world.net.host(&format!("login.{}", hosts(cloud).sign_in), Site::empty().any_https(Act::Microsoft(Service::SignIn)));
    }
    world.net.host("www.outlook.com", Site::empty());
}

/// Exchange Online's endpoints: everything asks for credentials but Autodiscover v2, plain http leads to where they are asked for.
fn autodiscover(world: &mut Builder) {
    let endpoint = || {
        let upgrade = Act::redirect(302, format!("https://autodiscover-s.outlook.com{AUTODISCOVER}"));
        let site = Site::empty().https(AUTODISCOVER, sign_in_first()).http(AUTODISCOVER, upgrade);
        site.https(SOAP, Act::Microsoft(Service::UserSettings)).any_https(Act::Microsoft(Service::AutodiscoverV2))
    };
    let names = Tls::Names(vec!["*.outlook.com".into(), "outlook.com".into(), "*.office365.com".into()]);
    for host in ["autodiscover.outlook.com", "autodiscover-s.outlook.com", "outlook.office365.com", "outlook.com"] {
        world.net.host(host, endpoint().tls(names.clone()));
    }
    for cloud in Cloud::ALL.into_iter().filter(|cloud| *cloud != Cloud::Worldwide) {
        let CloudHosts { exchange, autodiscover, .. } = hosts(cloud);
        world.net.host(exchange, endpoint());
        world.net.host(autodiscover, endpoint());
    }
}

/// `hoster.example` answers Autodiscover for anybody and is in the database; `hosted.example` asks for credentials;
/// `cleanmail.example` filters mail and publishes settings of its own; `filter.example` filters and publishes nothing.
fn hosters(world: &mut Builder) {
    let pox = Answer::xml(documents::pox(&[("IMAP", "imap.hoster.example", 993), ("SMTP", "smtp.hoster.example", 587)]));
    world.net.host("autodiscover.hoster.example", Site::empty().https(AUTODISCOVER, Act::Filled(pox)));
    world.ispdb(&["hoster.example"], &Act::xml(documents::hoster("hoster.example")));
    let upgrade = Act::redirect(302, format!("https://autodiscover.hosted.example{AUTODISCOVER}"));
    let guarded = Act::guarded(&["Negotiate", "NTLM", "Basic realm=\"hosted\""]);
    world.net.host("autodiscover.hosted.example", Site::empty().https(AUTODISCOVER, guarded).http(AUTODISCOVER, upgrade));
    let vendor = documents::imap_smtp("cleanmail.example", "imap.cleanmail.example", "smtp.cleanmail.example");
    world.net.host("autoconfig.cleanmail.example", Site::empty().https(super::builder::CONFIG, Act::xml(vendor)));
    world.net.host("filter.example", Site::empty());
}

/// Autodiscover's SOAP interface.
const SOAP: &str = "/autodiscover/autodiscover.svc";
