//! Names that are taken for aliases, whatever DNS says of them.

use super::{
    super::{Alias, NetworkError, Settings, proxy::Proxies},
    dns_server::{DnsServer, Zone, cname, ip, mx},
    stage::{Stage, get, network, network_behind, obstacle, of, settings_for},
    web_server::xml,
};
use crate::model::{Domain, MxRecord, Obstacle, Reply, Request};

fn alias(name: &str, target: &str) -> Alias {
    Alias { name: name.to_owned(), target: target.to_owned() }
}

#[tokio::test]
async fn the_host_is_reached_where_the_target_is_under_its_own_name() {
    let zone =
        Zone::default().records("host.contoso.com", vec![cname("edge.contoso.com")]).records("edge.contoso.com", vec![ip("127.0.0.1")]);
    let mut stage = Stage::with_zone(zone, |seen| xml(seen.host())).await;
    stage.settings.aliases = vec![alias("autodiscover.other.example", "host.contoso.com"), alias("www.fabrikam.com", "host.contoso.com")];
    let network = stage.network();
    let secure = network.ask(&get("https://Autodiscover.Other.example/")).await;
    assert_eq!(obstacle(&secure), &Obstacle::CertificateName, "the certificate is compared with the name that was asked");
    assert_eq!(secure.cnames, ["host.contoso.com", "edge.contoso.com"]);
    for (url, host) in
        [("http://autodiscover.other.example/", "autodiscover.other.example"), ("https://www.fabrikam.com/", "www.fabrikam.com")]
    {
        let answer = network.ask(&get(url)).await;
        assert!(super::stage::body(&answer).contains(host), "{url}: {answer:?}");
    }
    let answer = network.ask(&of(Request::Addresses { name: "www.fabrikam.com".to_owned() })).await;
    assert_eq!(answer.reply, Reply::Addresses(vec!["127.0.0.1".parse().unwrap()]));
    assert_eq!(answer.cnames, ["host.contoso.com", "edge.contoso.com"]);
}

#[tokio::test]
async fn an_alias_has_all_the_records_of_its_target_and_none_of_its_own() {
    let records = |host: &str| vec![mx(0, host)];
    let zone = Zone::default().records("contoso.com", records("old.example")).records("fabrikam.com", records("new.example"));
    let dns = DnsServer::start(zone).await;
    let ask = |aliases: Vec<Alias>| {
        let network = network(&Settings { aliases, ..settings_for(&dns) }).unwrap();
        async move { network.ask(&of(Request::Mx { domain: Domain::parse("contoso.com").unwrap() })).await }
    };
    let expected = |exchange: &str| Reply::Mx(vec![MxRecord { preference: 0, exchange: exchange.to_owned() }]);
    assert_eq!(ask(Vec::new()).await.reply, expected("old.example"));
    assert_eq!(ask(vec![alias("contoso.com", "a.example"), alias("a.example", "fabrikam.com")]).await.reply, expected("new.example"));
    assert_eq!(obstacle(&ask(vec![alias("contoso.com", "gone.example")]).await), &Obstacle::NxDomain);
    let circle = vec![alias("contoso.com", "a.example"), alias("a.example", "contoso.com")];
    assert_eq!(obstacle(&ask(circle).await), &Obstacle::DnsBroken);
}

#[tokio::test]
async fn behind_a_proxy_nothing_can_be_taken_for_an_alias() {
    let dns = DnsServer::start(Zone::default()).await;
    let settings = Settings { aliases: vec![alias("a.example", "b.example")], ..settings_for(&dns) };
    let proxies = Proxies::from_values(std::iter::once("http://proxy.example:3128".to_owned()));
    let refused = network_behind(&proxies, &settings).map(drop);
    assert!(matches!(&refused, Err(NetworkError::AliasBehindProxy { name }) if name == "a.example"), "{refused:?}");
}
