//! The services of the fake internet, Microsoft's and the ISP database, answer in their formats: as the parsers of `wire` read them.

use std::sync::Arc;

use hickory_resolver::proto::rr::{RData, RecordType};

use super::fakenet_test::{ask_udp, send_https};
use crate::fakenet::{
    Fakenet,
    microsoft::{Account, Batches, Detected, Row, Tenancy, TenantDirectory, User, V2},
    net::Net,
    world::today::today,
};
use autodiscover_audit::{
    model::{
        AUTODETECT_URL, Address, AutoDetectAnswer, AutodiscoverV2, Cloud, DigestCheck, Domain, Existence, Hosting, Namespace, OpenIdAnswer,
        SoapAnswer, SoapCode, UserSettings, V2Code, V2Protocol, jmap_url, pacc_url, v2_path_url, v2_url,
    },
    wire::{
        HttpAnswer, credential_type_request, openid_url, parse_autodetect, parse_autodiscover_v2, parse_credential_type, parse_jmap,
        parse_openid, parse_pacc, parse_pacc_digests, parse_realm, parse_user_settings, read_capabilities, realm_url,
        user_settings_request,
    },
};

/// An answer, as it came.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn http(&self) -> HttpAnswer<'_> {
        HttpAnswer { status: self.status, headers: &self.headers, body: &self.body }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn content_type(&self) -> &str {
        self.header("Content-Type")
    }
}

/// Sends a request to a URL; `more` holds further header lines.
async fn send(fakenet: &Fakenet, url: &str, (method, more, body): (&str, &str, &str)) -> Answer {
    let url = url::Url::parse(url).unwrap();
    let (host, path) = (url.host_str().unwrap(), &url[url::Position::BeforePath..]);
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n{more}\r\n", body.len());
    let bytes = send_https(fakenet, host, &(head + body)).await.unwrap();
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: head.lines().skip(1).filter_map(header).collect(),
        body: bytes[at + 4..].to_vec(),
    }
}

async fn get(fakenet: &Fakenet, url: &str) -> Answer {
    send(fakenet, url, ("GET", "", "")).await
}

/// The services of the world of today, with a few addresses of their own.
async fn start(change: impl FnOnce(&mut Net)) -> Fakenet {
    let mut net = (*today().net).clone();
    let exchange_online = Tenancy::exchange_online(Cloud::Worldwide);
    for (domain, tenancy) in [
        ("a.example", exchange_online.clone()),
        ("gov.example", Tenancy::exchange_online(Cloud::UsGovernment)),
        ("china.example", Tenancy::exchange_online(Cloud::China)),
        ("home.example", Tenancy::consumer()),
    ] {
        net.microsoft.enter_domain(domain, tenancy);
    }
    let away = "https://mail.a.example/autodiscover/autodiscover.json?Email={address}&Protocol={protocol}&RedirectCount=1";
    let rows = vec![Row { protocol: "imap", host: "imap.hoster.example", port: 993, encryption: "ssl" }];
    let row = Detected::Found { services: Vec::new(), rows };
    let later = Detected::Later { times: 1, seconds: 1, then: Box::new(row) };
    let own = Tenancy { v2: V2::Away(away.to_owned()), user: User::OnPremises("mail.a.example".into()), ..exchange_online.clone() };
    net.microsoft.enter_address("own@a.example", own);
    net.microsoft.enter_address("row@a.example", Tenancy { detected: later, account: Account::Both, ..exchange_online });
    net.microsoft.enter_account("anna@a.example");
    change(&mut net);
    Fakenet::start_net(&Arc::new(net)).await
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[tokio::test]
async fn autodiscover_v2_names_the_cloud_or_leads_to_where_it_is_known() {
    let fakenet = start(|_| {}).await;
    let ask = async |url: String| parse_autodiscover_v2(&get(&fakenet, &url).await.http()).unwrap();
    let at = |host: &str, mailbox: &str| v2_path_url(host, &address(mailbox), V2Protocol::ActiveSync);
    for (url, cloud) in [
        (at("outlook.office365.com", "anna@a.example"), Cloud::Worldwide),
        (v2_url("outlook.office365.com", &address("o'brien+x@a.example"), V2Protocol::Ews), Cloud::Worldwide),
        (at("outlook.office365.us", "anna@gov.example"), Cloud::UsGovernment),
        (at("partner.outlook.cn", "anna@china.example"), Cloud::China),
    ] {
        let AutodiscoverV2::Endpoint(endpoint) = ask(url.clone()).await else { panic!("{url}") };
        assert_eq!(endpoint.cloud, Some(cloud), "{url}");
    }
    let home = ask(at("outlook.office365.com", "anna@home.example")).await;
    assert!(matches!(home, AutodiscoverV2::Endpoint(endpoint) if endpoint.host == "eas.outlook.com"));
    for (mailbox, target) in [
        ("anna@gov.example", at("outlook.office365.us", "anna@gov.example")),
        (
            "own@a.example",
            "https://mail.a.example/autodiscover/autodiscover.json?Email=own%40a.example&Protocol=ActiveSync&RedirectCount=1".to_owned(),
        ),
    ] {
        let AutodiscoverV2::Redirect { url, .. } = ask(at("outlook.office365.com", mailbox)).await else { panic!("{mailbox}") };
        assert_eq!(url, target);
    }
    for (url, code) in [
        (at("outlook.office365.com", "anna@nobody.example"), V2Code::UserNotFound),
        (at("outlook.office365.com", "anna@a.example").replace("ActiveSync", "Imap"), V2Code::ProtocolNotSupported),
        ("https://outlook.office365.com/autodiscover/autodiscover.json?Email=a@b.example".to_owned(), V2Code::MissingProtocol),
        ("https://outlook.office365.com/autodiscover/autodiscover.json?Protocol=Ews".to_owned(), V2Code::MandatoryParameterMissing),
    ] {
        let AutodiscoverV2::Refused(refusal) = ask(url.clone()).await else { panic!("{url}") };
        assert_eq!(refusal.code, code, "{url}");
    }
}

#[tokio::test]
async fn who_does_not_sign_in_is_told_what_exchange_online_can_do() {
    let fakenet = start(|_| {}).await;
    for host in ["outlook.office365.com", "autodiscover-s.outlook.com", "outlook.office365.us"] {
        let answer = send(&fakenet, &format!("https://{host}/autodiscover/autodiscover.xml"), ("POST", "", "")).await;
        let capabilities = read_capabilities(&answer.headers);
        assert_eq!((answer.status, capabilities.soap, capabilities.is_microsoft_online()), (401, Some(true), true), "{host}");
        assert!(answer.header("WWW-Authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn autodetect_knows_services_and_rows_and_wants_the_address_in_its_header() {
    let fakenet = start(|_| {}).await;
    let ask = async |mailbox: &str| send(&fakenet, AUTODETECT_URL, ("GET", &format!("X-Email: {mailbox}\r\n"), "")).await;
    for (mailbox, hosting) in [
        ("anna@a.example", Some(Hosting::default())),
        ("anna@gov.example", Some(Hosting::ExchangeOnline(Cloud::UsGovernment))),
        ("anna@home.example", Some(Hosting::Consumer)),
    ] {
        let answer = ask(mailbox).await;
        let Ok(AutoDetectAnswer::Found(found)) = parse_autodetect(&answer.http()) else { panic!("{mailbox}") };
        assert_eq!((found.hosting(), found.email.as_deref()), (hosting, Some(mailbox)));
    }
    assert!(matches!(parse_autodetect(&ask("x@nobody.example").await.http()), Ok(AutoDetectAnswer::Nothing(_))));
    let first = ask("row@a.example").await;
    assert!(matches!(parse_autodetect(&first.http()), Ok(AutoDetectAnswer::Searching { retry_after: Some(1), .. })));
    let second = ask("row@a.example").await;
    let Ok(AutoDetectAnswer::Found(found)) = parse_autodetect(&second.http()) else { panic!("the row is not there") };
    assert_eq!((found.protocols[0].hostname.as_deref(), found.protocols[0].validated), (Some("imap.hoster.example"), Some(false)));
    assert_eq!(found.evidence.row.unwrap().id, found.evidence.provider_id);
    assert_eq!(get(&fakenet, AUTODETECT_URL).await.status, 400);
}

#[tokio::test]
async fn the_sign_in_service_knows_tenants_and_accounts() {
    let federated = TenantDirectory::Federated { cloud: Cloud::Worldwide, url: "https://sts.b.example/adfs/ls/" };
    let fakenet = start(|net| {
        let tenancy = Tenancy { directory: federated, account: Account::WorkForAll, ..Tenancy::exchange_online(Cloud::Worldwide) };
        net.microsoft.enter_domain("b.example", tenancy);
    })
    .await;
    for (domain, cloud, namespace) in [
        ("a.example", Some(Cloud::Worldwide), Namespace::Managed),
        ("b.example", Some(Cloud::Worldwide), Namespace::Federated),
        ("gov.example", Some(Cloud::UsGovernment), Namespace::Managed),
        ("nobody.example", None, Namespace::Unknown),
    ] {
        let answer = get(&fakenet, &openid_url("login.microsoftonline.com", &Domain::parse(domain).unwrap())).await;
        match parse_openid(&answer.http()).unwrap() {
            OpenIdAnswer::Directory(directory) => assert_eq!((directory.cloud, directory.is_consumer()), (cloud, false), "{domain}"),
            OpenIdAnswer::Refused(refusal) => assert!(refusal.is_no_tenant() && refusal.status == 400 && cloud.is_none(), "{domain}"),
        }
        let url = realm_url("login.microsoftonline.com", &address(&format!("postmaster@{domain}")));
        let answer = get(&fakenet, &url).await;
        assert_eq!(parse_realm(&answer.body, answer.content_type()).unwrap().namespace, namespace, "{domain}");
    }
    for (mailbox, existence) in [
        ("anna@a.example", Existence::Work),
        ("x7f3@a.example", Existence::Nowhere),
        ("x7f3@b.example", Existence::Work),
        ("row@a.example", Existence::Both),
        ("anna@home.example", Existence::Personal),
    ] {
        let body = credential_type_request(&address(mailbox));
        let answer = send(&fakenet, "https://login.microsoftonline.com/common/GetCredentialType", ("POST", "", &body)).await;
        assert_eq!(parse_credential_type(&answer.body, answer.content_type()).unwrap().existence, existence, "{mailbox}");
    }
}

const SOAP: &str = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc";

async fn user_settings(fakenet: &Fakenet, mailboxes: &[&str]) -> UserSettings {
    let addresses: Vec<Address> = mailboxes.iter().map(|mailbox| address(mailbox)).collect();
    let answer = send(fakenet, SOAP, ("POST", "Authorization: Bearer x\r\n", &user_settings_request(SOAP, &addresses))).await;
    let parsed = parse_user_settings(&answer.body, answer.content_type(), addresses.len()).unwrap();
    if let SoapAnswer::Settings(settings) = parsed { settings } else { panic!("{parsed:?}") }
}

#[tokio::test]
async fn user_settings_come_in_the_order_of_the_request_and_only_with_a_token() {
    let fakenet = start(|_| {}).await;
    let body = user_settings_request(SOAP, &[address("anna@a.example")]);
    assert_eq!(send(&fakenet, SOAP, ("POST", "", &body)).await.status, 401);
    let answer = user_settings(&fakenet, &["anna@a.example", "own@a.example", "anna@nobody.example"]).await;
    let users: Vec<_> = answer.users.iter().map(|user| user.as_ref().unwrap()).collect();
    assert_eq!(users.iter().map(|user| user.microsoft_online()).collect::<Vec<_>>(), [Some(true), Some(false), None]);
    assert_eq!(users[2].code, SoapCode::InvalidUser);
    assert_eq!(users[1].connections("ExternalImap4Connections")[0].hostname.as_deref(), Some("mail.a.example"));
}

#[tokio::test]
async fn batches_of_user_settings_are_cut_short_refused_and_put_off() {
    let fakenet = start(|net| net.microsoft.batches = Batches { most: 3, answered: 2, busy: 1, refuses: false }).await;
    let three = ["anna@a.example", "bert@a.example", "carla@a.example"];
    assert_eq!(user_settings(&fakenet, &three).await.code, SoapCode::ServerBusy);
    assert_eq!(user_settings(&fakenet, &three).await.unanswered(), [2]);
    assert_eq!(user_settings(&fakenet, &[&three[..], &three[..]].concat()).await.code, SoapCode::InvalidRequest);
}

#[tokio::test]
async fn the_database_says_the_same_under_its_three_names() {
    let fakenet = start(|_| {}).await;
    for (key, status) in
        [("mail.protection.outlook.com", 200), ("outlook.com", 200), ("mx.microsoft", 404), ("database-failing.example", 503)]
    {
        let mut bodies = Vec::new();
        for base in ["https://live.thunderbird.net/autoconfig/v1.1/", "https://autoconfig.thunderbird.net/v1.1/", "https://v1.ispdb.net/"] {
            let answer = get(&fakenet, &format!("{base}{key}")).await;
            assert_eq!(answer.status, status, "{base}{key}");
            bodies.push(answer.body);
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]));
    }
}

#[tokio::test]
async fn a_domain_of_the_world_can_publish_pacc_and_jmap() {
    let fakenet = start(|_| {}).await;
    for (domain, host, sound) in [
        ("pacc-stale.example", "imap.old-isp.example", true),
        ("pacc-right.example", "outlook.office365.com", true),
        ("pacc-tampered.example", "imap.old-isp.example", false),
    ] {
        let document = get(&fakenet, &pacc_url(&Domain::parse(domain).unwrap())).await;
        let pacc = parse_pacc(&document.body, document.content_type()).unwrap();
        assert_eq!(pacc.servers()[0].host, host);
        let reply = ask_udp(&fakenet, &format!("_ua-auto-config.{domain}."), RecordType::TXT).await;
        let RData::TXT(record) = &reply.answers[0].data else { panic!("{domain}: no TXT") };
        let check = pacc.check(&parse_pacc_digests(&[record.to_string()]));
        assert_eq!(check == DigestCheck::Matches, sound, "{domain}: {check:?}");
    }
    let session = get(&fakenet, &jmap_url("jmap.hoster.example", 443)).await;
    let session = parse_jmap(&session.body, session.content_type()).unwrap();
    assert!(session.serves_mail() && session.serves_submission());
}
