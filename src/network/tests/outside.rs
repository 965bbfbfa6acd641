//! Behind a proxy: what our DNS says is believed only where it sees the outside.

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};

use super::{
    super::proxy::Proxies,
    dns_server::{DnsServer, Say, Zone, cname, mx, ns},
    stage::{network, network_behind, obstacle, of, settings_for},
};
use crate::model::{Domain, Obstacle, Reply, Request};

fn proxies() -> Proxies {
    Proxies::from_values(["http://proxy.contoso.com:3128".to_owned()].into_iter())
}

fn outside() -> Zone {
    Zone::default()
        .records("com", vec![ns("a.gtld-servers.net")])
        .address("a.gtld-servers.net", "192.5.6.30")
        .records("fabrikam.com", vec![ns("ns1.hoster.example"), ns("ns2.hoster.example")])
        .address("ns1.hoster.example", "8.8.8.8")
        .address("ns2.hoster.example", "2606:4700::1111")
        .records("mail.fabrikam.com", vec![mx(10, "mx.fabrikam.com")])
}

/// Zone, name, and whether its absence is believed.
fn views() -> Vec<(&'static str, Zone, &'static str, bool)> {
    let inner = |address| Zone::default().records("fabrikam.com", vec![ns("dc1.fabrikam.com")]).address("dc1.fabrikam.com", address);
    let ns_fails = |say| outside().say("fabrikam.com", RecordType::NS, say);
    let half_inner = ns_fails(Say::Records(vec![ns("ns1.hoster.example"), ns("dc1.fabrikam.com")])).address("dc1.fabrikam.com", "10.0.0.1");
    vec![
        ("the zone is the internet's", outside(), "autoconfig.fabrikam.com", true),
        ("the zone itself", outside(), "fabrikam.com", true),
        ("nobody registered it, and the top level is the internet's", outside(), "autoconfig.nobody.com", true),
        ("the top level is unknown", outside(), "autoconfig.contoso.de", false),
        ("no name of the outside is known", Zone::default(), "autoconfig.fabrikam.com", false),
        ("an inner view of the zone", inner("10.0.0.1"), "autoconfig.fabrikam.com", false),
        ("an inner view on loopback", inner("127.0.0.1"), "autoconfig.fabrikam.com", false),
        ("an inner server beside public ones", half_inner, "autoconfig.fabrikam.com", false),
        ("name servers without addresses", Zone::default().records("com", vec![ns("a.gtld-servers.net")]), "x.com", false),
        ("the server fails", ns_fails(Say::Code(ResponseCode::ServFail)), "autoconfig.fabrikam.com", false),
        ("the server refuses", ns_fails(Say::Code(ResponseCode::Refused)), "autoconfig.fabrikam.com", false),
    ]
}

#[tokio::test]
async fn a_missing_record_is_believed_only_where_our_dns_sees_the_outside() {
    for (case, zone, name, believed) in views() {
        let dns = DnsServer::start(zone).await;
        let network = network_behind(&proxies(), &settings_for(&dns)).unwrap();
        let mx = of(Request::Mx { domain: Domain::parse(name).unwrap() });
        let missing = if name == "fabrikam.com" { Obstacle::NoData } else { Obstacle::NxDomain };
        assert_eq!(obstacle(&network.ask(&mx).await), if believed { &missing } else { &Obstacle::DnsBroken }, "MX: {case}");
        let srv = of(Request::Srv { name: format!("_imaps._tcp.{name}") });
        assert_eq!(obstacle(&network.ask(&srv).await), if believed { &Obstacle::NxDomain } else { &Obstacle::DnsBroken }, "SRV: {case}");
        let txt = of(Request::Txt { name: format!("_x.{name}") });
        assert_eq!(obstacle(&network.ask(&txt).await), if believed { &Obstacle::NxDomain } else { &Obstacle::DnsBroken }, "TXT: {case}");
        let host = of(Request::Addresses { name: format!("imap.{name}") });
        assert_eq!(obstacle(&network.ask(&host).await), if believed { &Obstacle::NxDomain } else { &Obstacle::DnsBroken }, "A: {case}");
        let absence = network.core.dialer.absence_behind_proxy(name).await;
        assert_eq!(absence, believed.then_some(missing), "a host behind the proxy: {case}");
    }
}

#[tokio::test]
async fn what_is_there_needs_no_witness_and_neither_does_dns_without_a_proxy() {
    let zone = outside().records("www.fabrikam.com", vec![cname("mail.fabrikam.com")]);
    let dns = DnsServer::start(zone).await;
    let settings = settings_for(&dns);
    let behind = network_behind(&proxies(), &settings).unwrap();
    let found = behind.ask(&of(Request::Mx { domain: Domain::parse("mail.fabrikam.com").unwrap() })).await;
    assert!(matches!(&found.reply, Reply::Mx(records) if records.len() == 1));
    assert_eq!(behind.core.dialer.absence_behind_proxy("ns1.hoster.example").await, None, "it is there");
    assert_eq!(behind.core.dialer.absence_behind_proxy("proxy.contoso.com").await, None, "the proxy itself");
    let direct = network(&settings).unwrap();
    let missing = direct.ask(&of(Request::Mx { domain: Domain::parse("contoso.de").unwrap() })).await;
    assert_eq!(obstacle(&missing), &Obstacle::NxDomain);
    assert_eq!(direct.core.dialer.absence_behind_proxy("contoso.de").await, None);
    assert!(dns.asked().iter().all(|asked| asked.kind != RecordType::NS));
}
