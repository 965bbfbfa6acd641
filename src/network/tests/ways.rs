//! Where connections go: the guard at the moment of connecting, detours, proxies.

use super::{
    super::{ConnectTo, proxy::Proxies},
    dns_server::{Say, Zone, ip},
    stage::{Stage, body, get, network_behind, nxdomain, obstacle, of, pox},
    web_server::{redirect, xml},
};
use crate::model::{Obstacle, Request};

fn forbidden(address: &str) -> Obstacle {
    Obstacle::ForbiddenAddress { address: address.to_owned() }
}

#[tokio::test]
async fn a_name_with_a_private_address_is_not_connected_to() {
    let zone = Zone::default().records("contoso.com", vec![ip("127.0.0.1"), ip("10.0.0.1")]).address("six.contoso.com", "::1");
    let mut stage = Stage::with_zone(zone, |_| xml("<a/>")).await;
    stage.settings.allow_networks.clear();
    let network = stage.network();
    for request in [get("https://contoso.com/"), get("http://contoso.com/"), pox("https://contoso.com/")] {
        let answer = network.ask(&request).await;
        assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&forbidden("127.0.0.1"), 1, 0));
    }
    assert_eq!(obstacle(&network.ask(&get("https://six.contoso.com/")).await), &forbidden("::1"));
    assert_eq!(obstacle(&network.ask(&get("https://localhost/")).await), &forbidden("127.0.0.1"));
    let redirect = of(Request::Redirect { url: "http://contoso.com/".into() });
    assert_eq!(obstacle(&network.ask(&redirect).await), &forbidden("127.0.0.1"));
    for url in
        ["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://0177.0.0.1/"]
    {
        assert!(matches!(obstacle(&network.ask(&get(url)).await), Obstacle::ForbiddenAddress { .. }), "{url}");
    }
    assert!(stage.plain.seen().is_empty() && stage.secure.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_private_name_is_not_followed() {
    let zone = Zone::default().address("contoso.com", "127.0.0.1").address("intranet.contoso.com", "192.168.0.1");
    let stage = Stage::with_zone(zone, |_| redirect(302, "https://intranet.contoso.com/")).await;
    let answer = stage.get("https://contoso.com/").await;
    assert_eq!((obstacle(&answer), answer.hops.len()), (&Obstacle::RedirectForbidden { address: "192.168.0.1".into() }, 1));
}

#[tokio::test]
async fn of_a_mixed_answer_only_what_is_permitted_is_used() {
    let stage = Stage::with_zone(Zone::default().records("contoso.com", vec![ip("10.255.255.1"), ip("127.0.0.1")]), |_| xml("<a/>")).await;
    assert_eq!(body(&stage.get("https://contoso.com/").await), "<a/>");
}

#[tokio::test]
async fn a_host_that_no_route_leads_to_is_unreachable() {
    let mut stage = Stage::with_zone(Zone::default().address("contoso.com", "255.255.255.255"), |_| xml("<a/>")).await;
    stage.settings.allow_networks = vec!["255.255.255.255/32".parse().unwrap()];
    let answer = stage.get("https://contoso.com/").await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::Unreachable, 2));
}

#[tokio::test]
async fn a_detour_changes_only_where_the_connection_goes() {
    let mut stage = Stage::with_zone(Zone::default().anything(nxdomain()), |_| xml("<a/>")).await;
    stage.settings.allow_networks.clear();
    let detour = |host: &str, port, to_port| ConnectTo {
        host: Some(host.to_owned()),
        port,
        to_address: Some("127.0.0.1".parse().unwrap()),
        to_port: Some(to_port),
    };
    let (plain, secure) = (stage.plain.address.port(), stage.secure.address.port());
    stage.settings.connect_to = vec![detour("New.Contoso.com", 443, secure), detour("new.contoso.com", 80, plain)];
    let network = stage.network();
    assert_eq!(body(&network.ask(&get("https://new.contoso.com/")).await), "<a/>");
    assert_eq!(body(&network.ask(&get("http://new.contoso.com/")).await), "<a/>");
    assert_eq!((stage.secure.seen()[0].host(), stage.plain.seen()[0].host()), ("new.contoso.com", "new.contoso.com"));
    assert!(stage.dns.asked().is_empty(), "DNS is not asked");
    assert_eq!(obstacle(&network.ask(&get("https://old.contoso.com/")).await), &Obstacle::NxDomain);
    let other_port = network.ask(&get(&format!("http://new.contoso.com:{plain}/"))).await;
    assert_eq!(obstacle(&other_port), &Obstacle::NxDomain, "a detour is for its port alone");
}

#[tokio::test]
async fn a_detour_leads_to_its_own_port_alone_whatever_port_a_redirect_names() {
    let inner = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    inner.set_nonblocking(true).unwrap();
    let port = inner.local_addr().unwrap().port();
    for host in [Some("autoconfig.contoso.com".to_owned()), None] {
        let zone = Zone::default().address("contoso.com", "127.0.0.1").address("autoconfig.contoso.com", "255.255.255.255");
        let mut stage = Stage::with_zone(zone, move |_| redirect(302, &format!("https://autoconfig.contoso.com:{port}/"))).await;
        stage.settings.allow_networks = vec!["255.255.255.255/32".parse().unwrap()];
        let detour = |host, port, to_port| ConnectTo { host, port, to_address: "127.0.0.1".parse().ok(), to_port };
        let of_start = detour(Some("contoso.com".to_owned()), 443, Some(stage.secure.address.port()));
        stage.settings.connect_to = vec![of_start, detour(host.clone(), 80, None), detour(host, 443, None)];
        let network = stage.network();
        for url in [
            "https://contoso.com/".to_owned(),
            format!("http://autoconfig.contoso.com:{port}/"),
            format!("https://autoconfig.contoso.com:{port}/"),
            "http://autoconfig.contoso.com:443/".to_owned(),
            "https://autoconfig.contoso.com:80/".to_owned(),
        ] {
            assert_eq!(obstacle(&network.ask(&get(&url)).await), &Obstacle::Unreachable, "as DNS says: {url}");
        }
        stage.settings.allow_networks.clear();
        let answer = stage.get("https://contoso.com/").await;
        assert_eq!(obstacle(&answer), &Obstacle::RedirectForbidden { address: "255.255.255.255".into() });
    }
    assert!(inner.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn a_port_in_the_url_is_kept() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let port = stage.plain.address.port();
    assert_eq!(body(&stage.get(&format!("http://contoso.com:{port}/")).await), "<a/>");
    assert_eq!(stage.plain.seen()[0].host(), format!("contoso.com:{port}"));
}

#[tokio::test]
async fn behind_a_proxy_the_guard_still_holds_where_we_connect_ourselves() {
    let zone = Zone::default().address("contoso.com", "10.0.0.1").say(
        "gone.contoso.com",
        hickory_resolver::proto::rr::RecordType::A,
        Say::Silence,
    );
    let stage = Stage::with_zone(zone, |_| xml("<a/>")).await;
    let proxies = Proxies::from_values(["http://proxy.contoso.com:3128".to_owned()].into_iter());
    let network = network_behind(&proxies, &stage.settings).unwrap();
    // The environment of the tests names no proxy, so names are resolved in the hook alone.
    assert_eq!(obstacle(&network.ask(&get("https://contoso.com/")).await), &forbidden("10.0.0.1"));
    assert_eq!(obstacle(&network.ask(&get("https://nobody.contoso.com/")).await), &Obstacle::NxDomain);
    assert_eq!(obstacle(&network.ask(&get("https://gone.contoso.com/")).await), &Obstacle::DnsTimeout);
}
