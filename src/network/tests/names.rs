//! DNS: records, the obstacles one by one, several servers.

use std::{net::SocketAddr, sync::Arc};

use hickory_resolver::proto::{
    op::ResponseCode,
    rr::{RData, RecordType, rdata::TXT},
};
use tokio::net::UdpSocket;

use super::{
    dns_server::{DnsServer, Say, Zone, cname, ip, mx, srv},
    stage::{network, nxdomain, obstacle, of, settings_for},
};
use crate::model::{Answer, Domain, Lookup, MxRecord, Obstacle, Reply, Request, SrvRecord};

async fn ask(zone: Zone, request: Lookup) -> Arc<Answer> {
    let dns = DnsServer::start(zone).await;
    network(&settings_for(&dns)).unwrap().ask(&request).await
}

fn mx_of(domain: &str) -> Lookup {
    of(Request::Mx { domain: Domain::parse(domain).unwrap() })
}

fn srv_of(name: &str) -> Lookup {
    of(Request::Srv { name: name.to_owned() })
}

fn addresses_of(name: &str) -> Lookup {
    of(Request::Addresses { name: name.to_owned() })
}

#[tokio::test]
async fn mx_records_come_by_preference_and_by_name_among_equals() {
    let records = vec![mx(20, "b.contoso.com"), mx(10, "Z.Contoso.COM"), mx(10, "a.contoso.com"), mx(30, ".")];
    let answer = ask(Zone::default().records("contoso.com", records), mx_of("contoso.com")).await;
    let expected = [(10, "a.contoso.com"), (10, "z.contoso.com"), (20, "b.contoso.com")]
        .map(|(preference, exchange)| MxRecord { preference, exchange: exchange.to_owned() });
    assert_eq!(answer.reply, Reply::Mx(expected.to_vec()));
    assert_eq!((answer.attempts, answer.hops.len()), (1, 0));
}

#[tokio::test]
async fn srv_records_are_read_also_behind_a_cname() {
    let zone = || Zone::default().records("_imaps._tcp.fabrikam.com", vec![srv(1, 2, 993, "Mail.Fabrikam.com")]);
    let expected = Reply::Srv(vec![SrvRecord { priority: 1, weight: 2, port: 993, target: "mail.fabrikam.com".into() }]);
    let answer = ask(zone(), srv_of("_imaps._tcp.fabrikam.com")).await;
    assert_eq!((&answer.reply, answer.cnames.len()), (&expected, 0));
    let aliased = zone().records("_imaps._tcp.contoso.com", vec![cname("_imaps._tcp.fabrikam.com")]);
    let answer = ask(aliased, srv_of("_imaps._tcp.contoso.com")).await;
    assert_eq!((&answer.reply, &answer.cnames), (&expected, &vec!["_imaps._tcp.fabrikam.com".to_owned()]));
}

fn txt_of(name: &str) -> Lookup {
    of(Request::Txt { name: name.to_owned() })
}

#[tokio::test]
async fn texts_are_joined_and_sorted_and_their_size_is_bounded() {
    let text = |parts: &[&[u8]]| RData::TXT(TXT::from_bytes(parts.to_vec()));
    let records = vec![text(&[b"v=", b"UAAC1; ", b"a=sha256"]), text(&[b"\xff\xfe"]), text(&[b""]), text(&[[b'x'; 255].as_slice(); 20])];
    let zone = Zone::default().say("_ua-auto-config.contoso.com", RecordType::TXT, Say::OnlyTcp(records));
    let answer = ask(zone, txt_of("_ua-auto-config.contoso.com")).await;
    let expected = ["", "v=UAAC1; a=sha256", &"x".repeat(4096), "\u{fffd}\u{fffd}"];
    assert_eq!(answer.reply, Reply::Txt(expected.map(str::to_owned).to_vec()));
    let many = (0..100).map(|number| text(&[format!("{number:03}").as_bytes()])).rev().collect();
    let answer = ask(Zone::default().say("contoso.com", RecordType::TXT, Say::OnlyTcp(many)), txt_of("contoso.com")).await;
    let Reply::Txt(texts) = &answer.reply else { panic!("{answer:?}") };
    assert_eq!((texts.len(), texts[0].as_str(), texts[63].as_str()), (64, "000", "063"));
}

#[tokio::test]
async fn texts_are_read_behind_a_cname_and_their_absence_has_its_obstacle() {
    let text = RData::TXT(TXT::new(vec!["x".to_owned()]));
    let zone = Zone::default().records("a.contoso.com", vec![cname("b.fabrikam.com")]).records("b.fabrikam.com", vec![text]);
    let answer = ask(zone, txt_of("a.contoso.com")).await;
    assert_eq!((&answer.reply, &answer.cnames), (&Reply::Txt(vec!["x".into()]), &vec!["b.fabrikam.com".to_owned()]));
    for (zone, expected, attempts) in [
        (Zone::default(), Obstacle::NxDomain, 1),
        (Zone::default().address("contoso.com", "192.0.2.1"), Obstacle::NoData, 1),
        (Zone::default().anything(Say::Code(ResponseCode::ServFail)), Obstacle::ServFail, 2),
    ] {
        let answer = ask(zone, txt_of("contoso.com")).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, attempts));
    }
}

#[tokio::test]
async fn addresses_come_with_both_families_and_the_chain_of_cnames() {
    let zone = Zone::default()
        .records("www.contoso.com", vec![cname("edge.fabrikam.com")])
        .records("edge.fabrikam.com", vec![cname("host.fabrikam.com")])
        .records("host.fabrikam.com", vec![ip("192.0.2.7"), ip("192.0.2.5")])
        .records("host.fabrikam.com", vec![ip("2001:db8::1")]);
    let answer = ask(zone, addresses_of("WWW.contoso.com.")).await;
    let expected = ["192.0.2.7", "192.0.2.5", "2001:db8::1"].map(|text| text.parse().unwrap());
    assert_eq!(answer.reply, Reply::Addresses(expected.to_vec()));
    assert_eq!(answer.cnames, ["edge.fabrikam.com", "host.fabrikam.com"]);
}

#[tokio::test]
async fn every_way_of_having_no_records_has_its_obstacle() {
    let code = |code: &str| Obstacle::DnsCode { code: code.to_owned() };
    let with_code = |code| Zone::default().anything(Say::Code(code));
    let circle = Zone::default().records("contoso.com", vec![cname("b.example")]).records("b.example", vec![cname("contoso.com")]);
    let into_nothing = Zone::default().records("contoso.com", vec![cname("gone.example")]);
    let into_other = Zone::default().records("contoso.com", vec![cname("b.example")]).address("b.example", "192.0.2.1");
    for (zone, expected, attempts) in [
        (Zone::default(), Obstacle::NxDomain, 1),
        (Zone::default().address("contoso.com", "192.0.2.1"), Obstacle::NoData, 1),
        (Zone::default().records("contoso.com", vec![mx(0, ".")]), Obstacle::NotOffered, 1),
        (into_nothing, Obstacle::NxDomain, 1),
        (into_other, Obstacle::NoData, 1),
        (circle, Obstacle::DnsBroken, 2),
        (with_code(ResponseCode::ServFail), Obstacle::ServFail, 2),
        (with_code(ResponseCode::Refused), code("REFUSED"), 2),
        (with_code(ResponseCode::NotImp), code("NOTIMP"), 2),
        (with_code(ResponseCode::Unknown(11)), code("RCODE11"), 2),
        (Zone::default().anything(Say::Garbage), Obstacle::DnsBroken, 2),
        (Zone::default().anything(Say::Silence), Obstacle::DnsTimeout, 2),
    ] {
        let answer = ask(zone, mx_of("contoso.com")).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, attempts));
    }
    let answer = ask(Zone::default().records("_pop3._tcp.contoso.com", vec![srv(0, 0, 0, ".")]), srv_of("_pop3._tcp.contoso.com")).await;
    assert_eq!(obstacle(&answer), &Obstacle::NotOffered);
    let mixed = vec![srv(5, 5, 443, "a.example"), srv(0, 0, 0, ".")];
    let answer = ask(Zone::default().records("_pop3._tcp.contoso.com", mixed), srv_of("_pop3._tcp.contoso.com")).await;
    let Reply::Srv(records) = &answer.reply else { panic!("{answer:?}") };
    assert_eq!(records.iter().map(|record| record.target.as_str()).collect::<Vec<_>>(), ["", "a.example"]);
    let answer = ask(Zone::default(), srv_of("_pop3._tcp.contoso.com")).await;
    assert_eq!(obstacle(&answer), &Obstacle::NxDomain);
    let answer = ask(Zone::default(), addresses_of(&format!("{}.contoso.com", "a".repeat(64)))).await;
    assert_eq!(obstacle(&answer), &Obstacle::NxDomain, "a name that DNS cannot hold");
}

#[tokio::test]
async fn a_family_that_fails_does_not_hide_the_other_and_is_never_absence() {
    let failing = |kind, say| Zone::default().address("contoso.com", "192.0.2.1").say("contoso.com", kind, say);
    let answer = ask(failing(RecordType::AAAA, Say::Code(ResponseCode::ServFail)), addresses_of("contoso.com")).await;
    assert_eq!(answer.reply, Reply::Addresses(vec!["192.0.2.1".parse().unwrap()]));
    let zone = Zone::default().say("contoso.com", RecordType::AAAA, Say::Code(ResponseCode::ServFail));
    assert_eq!(obstacle(&ask(zone, addresses_of("contoso.com")).await), &Obstacle::ServFail);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_again_over_tcp() {
    let records: Vec<_> = (0..100).map(|number| mx(number, &format!("host{number}.contoso.com"))).collect();
    let dns = DnsServer::start(Zone::default().say("contoso.com", RecordType::MX, Say::OnlyTcp(records))).await;
    let answer = network(&settings_for(&dns)).unwrap().ask(&mx_of("contoso.com")).await;
    assert!(matches!(&answer.reply, Reply::Mx(records) if records.len() == 100));
    assert_eq!(dns.asked().iter().map(|asked| asked.is_tcp).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn names_are_asked_as_they_are_and_no_search_list_is_walked() {
    let dns = DnsServer::start(Zone::default().anything(nxdomain())).await;
    let network = network(&settings_for(&dns)).unwrap();
    assert_eq!(obstacle(&network.ask(&srv_of("_imap._tcp.contoso.com")).await), &Obstacle::NxDomain);
    assert_eq!(obstacle(&network.ask(&addresses_of("intranet")).await), &Obstacle::NxDomain);
    let mut names: Vec<String> = dns.asked().into_iter().map(|asked| asked.name).collect();
    names.sort();
    assert_eq!(names, ["_imap._tcp.contoso.com", "intranet", "intranet"]);
    assert_eq!(network.counters().dns_queries, 3);
}

async fn closed_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn one_dead_or_broken_server_of_two_does_not_matter() {
    let good = DnsServer::start(
        Zone::default().records("contoso.com", vec![mx(10, "mx.contoso.com")]).records("fabrikam.com", vec![mx(10, "mx.fabrikam.com")]),
    )
    .await;
    let bad = |say| DnsServer::start(Zone::default().anything(say));
    let (silent, failing) = (bad(Say::Silence).await, bad(Say::Code(ResponseCode::ServFail)).await);
    let (refusing, babbling) = (bad(Say::Code(ResponseCode::Refused)).await, bad(Say::Garbage).await);
    for dead in [silent.address, failing.address, refusing.address, babbling.address, closed_port().await] {
        for order in [[dead, good.address], [good.address, dead]] {
            let mut settings = settings_for(&good);
            settings.dns_servers = order.to_vec();
            let network = network(&settings).unwrap();
            let answer = network.ask(&mx_of("contoso.com")).await;
            assert!(matches!(answer.reply, Reply::Mx(_)), "{answer:?}");
            assert_eq!(answer.attempts, 1);
            assert!(matches!(network.ask(&mx_of("fabrikam.com")).await.reply, Reply::Mx(_)));
        }
    }
    assert_eq!(silent.asked_about("fabrikam.com"), 0, "a silent server is left after the first time");
}

#[tokio::test]
async fn where_all_servers_fail_a_code_says_more_than_silence() {
    let silent = DnsServer::start(Zone::default().anything(Say::Silence)).await;
    let failing = DnsServer::start(Zone::default().anything(Say::Code(ResponseCode::ServFail))).await;
    let mut settings = settings_for(&silent);
    settings.dns_servers.push(failing.address);
    let answer = network(&settings).unwrap().ask(&mx_of("contoso.com")).await;
    assert_eq!(obstacle(&answer), &Obstacle::ServFail);
}
