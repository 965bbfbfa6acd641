//! Outlook and phones: direct connect, AutoDetect, the mobilesync schema; beside them PACC and JMAP.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::model::{AUTODETECT_URL, Guarded, Message, Protocol, V2Protocol, v2_path_url};

impl Stage {
    fn http(mut self, url: &str, message: Message, (status, headers, body): Said<'_>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let document = HttpDocument { status, content_type: String::new(), headers, body: body.as_bytes().into() };
        self.0.push((Request::Http { url: url.to_owned(), message }, Reply::Document(document)));
        self
    }

    /// The first question to Autodiscover v2.
    fn v2(self, protocol: V2Protocol, said: Said<'_>) -> Self {
        let url = v2_path_url("outlook.office365.com", &anna(), protocol);
        self.http(&url, Message::Get { address: Some(anna()) }, said)
    }

    fn phone(self, host: &str, said: Said<'_>) -> Self {
        self.http(&format!("https://{host}{PATH}"), Message::Mobilesync { address: anna() }, said)
    }

    fn other(mut self, request: Request, reply: Reply) -> Self {
        self.0.push((request, reply));
        self
    }

    /// The host asks for credentials to Autodiscover.
    fn guarded(self, host: &str) -> Self {
        let url = format!("https://{host}{PATH}");
        let by_pox = Request::Pox { url: url.clone(), address: anna() };
        self.other(by_pox, guarded(false)).other(Request::Http { url, message: Message::Mobilesync { address: anna() } }, guarded(false))
    }
}

/// Status, headers, body.
type Said<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

fn guarded(joined: bool) -> Reply {
    let issuer = ("x-federationtrusttokenissueruri".to_owned(), "urn:federation:MicrosoftOnline".to_owned());
    let headers = if joined { vec![issuer] } else { Vec::new() };
    Reply::Obstacle(Obstacle::CredentialsRequired { schemes: "bearer,basic".to_owned(), headers })
}

fn endpoint(protocol: &str, url: &str) -> String {
    format!(r#"{{"Protocol":"{protocol}","Url":"{url}"}}"#)
}

fn phone_answer(action: &str) -> String {
    format!("<Autodiscover><Response><Action>{action}</Action></Response></Autodiscover>")
}

fn activesync_at(host: &str) -> String {
    phone_answer(&format!(
        "<Settings><Server><Type>MobileSync</Type><Url>https://{host}/Microsoft-Server-ActiveSync</Url></Server></Settings>"
    ))
}

fn imap(host: &str) -> String {
    format!("<Protocol><Type>IMAP</Type><Server>{host}</Server><Port>993</Port></Protocol>")
}

fn exo() -> Stage {
    let direct = endpoint("AutodiscoverV1", &format!("https://outlook.office365.com{PATH}"));
    let phones = endpoint("ActiveSync", "https://outlook.office365.com/Microsoft-Server-ActiveSync");
    let stage = Stage::new(EXO).v2(V2Protocol::AutodiscoverV1, (200, &[], &direct)).v2(V2Protocol::ActiveSync, (200, &[], &phones));
    stage.guarded("outlook.office365.com")
}

const PATH: &str = "/autodiscover/autodiscover.xml";

#[test]
fn outlook_signs_in_where_the_second_autodiscover_sends_it() {
    let win = exo().pox("contoso.com", &imap("root.contoso.com")).discover("outlook-classic").win.unwrap();
    assert!(win.settings.is_empty() && matches!(win.way, Way::Autodiscover { by_srv: false, redirected: false }));
    assert_eq!(win.guarded.map(|guarded| guarded.protocol), Some(Protocol::Exchange));
    let asked: Vec<String> = win.requests.iter().map(Request::asked).collect();
    let first = "https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/anna%40contoso.com?Protocol=AutodiscoverV1";
    assert_eq!(asked, [first, "POST https://outlook.office365.com/autodiscover/autodiscover.xml"]);
}

/// Evolution's wizard takes a password, and Exchange Online takes none.
#[test]
fn who_types_a_password_does_not_get_in_at_exchange_online() {
    let discover = |host: &str| {
        let record = SrvRecord { priority: 0, weight: 0, port: 443, target: host.to_owned() };
        let led = Request::Srv { name: "_autodiscover._tcp.contoso.com".to_owned() };
        let asked = Request::Pox { url: format!("https://{host}{PATH}"), address: anna() };
        Stage::new(EXO).other(led, Reply::Srv(vec![record])).other(asked, guarded(true)).discover("evolution")
    };
    assert!(discover("mail.contoso.com").win.unwrap().guarded.is_some());
    let discovery = discover("autodiscover-s.outlook.com");
    assert!(discovery.win.is_none() && discovery.faults.iter().any(|fault| fault.why.contains("password")), "{discovery:?}");
}

/// A stale answer of the domain's own hides behind direct connect.
#[test]
fn outlook_would_take_the_domain_s_own_answer_where_direct_connect_fails() {
    let stage = exo().pox("contoso.com", &imap("root.contoso.com")).pox("autodiscover.contoso.com", &imap("auto.contoso.com"));
    let lost = stage.discover("outlook-classic").win.unwrap().requests;
    let next = stage.discover_assuming("outlook-classic", Assumption { lost: &lost, mx: 0 });
    assert!(next.doubts.is_empty());
    assert_eq!(next.win.unwrap().settings.incoming[0].host, "root.contoso.com");
}

#[test]
fn outlook_goes_on_from_an_answer_of_no_use_and_is_in_doubt_after_a_failure() {
    let v2 = |said: Said<'_>| Stage::new(EXO).v2(V2Protocol::AutodiscoverV1, said).pox("contoso.com", &imap("root.contoso.com"));
    let away = [("location", "https://mail.fabrikam.com/autodiscover/autodiscover.json?Email=anna%40contoso.com")];
    for (stage, doubts, faults) in [
        (v2((404, &[], r#"{"ErrorCode":"UserNotFound"}"#)), 0, 0),
        (v2((400, &[], r#"{"ErrorCode":"ProtocolNotSupported"}"#)), 0, 1),
        (v2((200, &[], "<html/>")), 1, 0),
        (v2((302, &away, "")), 1, 0),
        (v2((500, &[], "")), 1, 0),
    ] {
        let discovery = stage.discover("outlook-classic");
        assert_eq!((discovery.doubts.len(), discovery.faults.len()), (doubts, faults), "{discovery:?}");
        assert_eq!(discovery.win.unwrap().settings.incoming[0].host, "root.contoso.com");
    }
}

#[test]
fn outlook_looks_in_its_order_and_asks_port_443_whatever_the_record_says() {
    let redirect = Request::Redirect { url: format!("http://autodiscover.contoso.com{PATH}") };
    let record = SrvRecord { priority: 0, weight: 0, port: 8443, target: "srv.contoso.com".to_owned() };
    let srv = || {
        let name = "_autodiscover._tcp.contoso.com".to_owned();
        Stage::new(EXO).other(Request::Srv { name }, Reply::Srv(vec![record.clone()])).pox("srv.contoso.com", &imap("4.example"))
    };
    let http = || {
        srv().other(redirect.clone(), Reply::Redirect(format!("https://web.contoso.com{PATH}"))).pox("web.contoso.com", &imap("3.example"))
    };
    let auto = || http().pox("autodiscover.contoso.com", &imap("2.example"));
    for (stage, host) in
        [(srv(), "4.example"), (http(), "3.example"), (auto(), "2.example"), (auto().pox("contoso.com", &imap("1.example")), "1.example")]
    {
        assert_eq!(stage.discover("outlook-classic").win.unwrap().settings.incoming[0].host, host);
    }
}

/// A hybrid without sign-in: the organisation's own server names the address in Exchange Online.
#[test]
fn outlook_begins_again_with_the_address_that_it_is_sent_to() {
    let own = endpoint("AutodiscoverV1", &format!("https://mail.contoso.com{PATH}"));
    let routing = Address::parse("anna@contoso.mail.onmicrosoft.com").unwrap();
    let again = v2_path_url("outlook.office365.com", &routing, V2Protocol::AutodiscoverV1);
    let direct = endpoint("AutodiscoverV1", &format!("https://outlook.office365.com{PATH}"));
    let stage = Stage::new(EXO)
        .v2(V2Protocol::AutodiscoverV1, (200, &[], &own))
        .pox("mail.contoso.com", &format!("<Action>redirectAddr</Action><RedirectAddr>{routing}</RedirectAddr>"))
        .http(&again, Message::Get { address: Some(routing.clone()) }, (200, &[], &direct))
        .other(Request::Pox { url: format!("https://outlook.office365.com{PATH}"), address: routing }, guarded(false));
    let win = stage.discover("outlook-classic").win.unwrap();
    assert!(win.guarded.is_some() && matches!(win.way, Way::Autodiscover { redirected: true, .. }), "{win:?}");
}

#[test]
fn phones_ask_the_second_autodiscover_and_then_the_first() {
    let redirect = [("location", "https://phones.contoso.com/autodiscover/autodiscover.xml")];
    let moved = [("x-ms-location", "https://eas.fabrikam.com/Microsoft-Server-ActiveSync")];
    let moved_again = [("x-ms-location", "https://phones.contoso.com/Autodiscover/Autodiscover.xml")];
    let circle = [("location", "https://contoso.com/autodiscover/autodiscover.xml")];
    let settings = activesync_at("eas.contoso.com");
    let to_address = phone_answer("<Redirect>anna@sales.contoso.com</Redirect>");
    let of_sales = || Message::Mobilesync { address: Address::parse("anna@sales.contoso.com").unwrap() };
    let stage = || Stage::new(EXO);
    for (stage, host) in [
        (exo().phone("contoso.com", (200, &[], &settings)), Some("outlook.office365.com")),
        (stage().phone("contoso.com", (200, &[], &settings)), Some("eas.contoso.com")),
        (stage().phone("autodiscover.contoso.com", (200, &[], &settings)), Some("eas.contoso.com")),
        (stage().phone("contoso.com", (302, &redirect, "")).phone("phones.contoso.com", (200, &[], &settings)), Some("eas.contoso.com")),
        (stage().phone("contoso.com", (451, &moved, "")), Some("eas.fabrikam.com")),
        (
            stage().phone("contoso.com", (451, &moved_again, "")).http(
                "https://phones.contoso.com/Autodiscover/Autodiscover.xml",
                Message::Mobilesync { address: anna() },
                (200, &[], &settings),
            ),
            Some("eas.contoso.com"),
        ),
        (
            stage().phone("contoso.com", (200, &[], &to_address)).http(
                "https://sales.contoso.com/autodiscover/autodiscover.xml",
                of_sales(),
                (200, &[], &settings),
            ),
            Some("eas.contoso.com"),
        ),
        (stage().phone("contoso.com", (302, &circle, "")), None),
        (stage().phone("contoso.com", (200, &[], &phone_answer("<Error><Status>2</Status></Error>"))), None),
        (stage().phone("contoso.com", (200, &[], &phone_answer("<Redirect>ANNA@contoso.com</Redirect>"))), None),
    ] {
        let win = stage.discover("activesync").win;
        let server = win.map(|win| win.settings.incoming[0].clone());
        assert_eq!(server.as_ref().map(|server| (server.protocol, server.host.as_str())), host.map(|host| (Protocol::ActiveSync, host)));
    }
}

#[test]
fn a_phone_that_signs_in_is_given_activesync() {
    for (client, stage) in [("activesync", Stage::new(EXO)), ("apple-mail", exo())] {
        let url = format!("https://autodiscover.contoso.com{PATH}");
        let stage = stage.other(Request::Http { url, message: Message::Mobilesync { address: anna() } }, guarded(true));
        let win = stage.discover(client).win.unwrap();
        let expected = Guarded { host: "autodiscover.contoso.com".to_owned(), protocol: Protocol::ActiveSync, joined: true };
        assert_eq!(win.guarded, Some(expected), "{client}");
    }
}

#[test]
fn strangers_learn_of_postmaster_alone_and_their_refusal_proves_nothing() {
    let redirect = [("location", "https://phones.fabrikam.com/autodiscover/autodiscover.xml")];
    let postmaster = Message::Mobilesync { address: Address::parse("postmaster@contoso.com").unwrap() };
    let refusal = "<Autodiscover><Response><Error><ErrorCode>500</ErrorCode></Error></Response></Autodiscover>";
    let stage = Stage::new(EXO).phone("contoso.com", (302, &redirect, ""));
    let stage = stage.http("https://phones.fabrikam.com/autodiscover/autodiscover.xml", postmaster, (200, &[], refusal));
    let discovery = stage.discover("activesync");
    assert_eq!((discovery.win.is_none(), discovery.doubts.len()), (true, 1), "{discovery:?}");
    assert!(discovery.doubts[0].why.contains("postmaster"));
}

/// Where clients follow by themselves, the URL names no mailbox either.
#[test]
fn the_url_of_a_stranger_that_a_client_follows_by_hand_names_no_mailbox() {
    let servers = format!("{}{}", imap("imap.fabrikam.com"), imap("smtp.fabrikam.com").replace("IMAP", "SMTP"));
    let document = Stage::new(EXO).pox("contoso.com", &servers).0.pop().unwrap().1;
    let to = |host: &str, local: &str| format!("https://{host}/Autodiscover/?user={local}%40contoso.com");
    for (host, local) in [("web.fabrikam.com", "postmaster"), ("web.contoso.com", "anna")] {
        let (target, url) = (to(host, "anna"), to(host, local));
        let address: Address = format!("{local}@contoso.com").parse().unwrap();
        let by_phone = Request::Http { url: url.clone(), message: Message::Mobilesync { address: address.clone() } };
        let by_pox = Request::Pox { url, address };
        let (location, moved) = ([("location", target.as_str())], [("x-ms-location", target.as_str())]);
        let answer = format!("<Action>redirectUrl</Action><RedirectUrl>{target}</RedirectUrl>");
        for (stage, client, asked) in [
            (Stage::new(EXO).phone("contoso.com", (302, &location, "")), "activesync", &by_phone),
            (Stage::new(EXO).phone("contoso.com", (451, &moved, "")), "activesync", &by_phone),
            (Stage::new(EXO).pox("contoso.com", &answer), "outlook-classic", &by_pox),
            (Stage::new(EXO).v2(V2Protocol::AutodiscoverV1, (200, &[], &endpoint("AutodiscoverV1", &target))), "outlook-classic", &by_pox),
        ] {
            let reply = if asked == &by_pox { document.clone() } else { guarded(false) };
            let win = stage.other(asked.clone(), reply).discover(client).win;
            assert_eq!(win.map(|win| win.lookup.request).as_ref(), Some(asked), "{client} {host}");
        }
    }
}

#[test]
fn new_outlook_takes_a_service_before_servers() {
    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/documents/", $name))
        };
    }
    let detect = |said: Said<'_>| {
        let stage = Stage::new(EXO).http(AUTODETECT_URL, Message::Detect { address: anna() }, said);
        stage.discover("outlook-new")
    };
    for (body, expected) in [
        (fixture!("autodetect-consumer.json"), &["exchange outlook.live.com:443 tls"][..]),
        (fixture!("autodetect-on-premises-url.json"), &["activesync mail.contoso.com:443 tls"]),
        (fixture!("autodetect-provider-row.json"), &["imap imap.fabrikam.com:993 tls", "smtp smtp.fabrikam.com:465 tls"]),
        (
            fixture!("autodetect-no-services.json"),
            &["imap imap.contoso.com:993 tls", "pop3 pop.contoso.com:995 tls", "smtp smtp.contoso.com:587 plain"],
        ),
        (r#"{"services":[{"service":"google"}]}"#, &["exchange imap.gmail.com:443 tls"]),
        (r#"{"protocols":[{"protocol":"eas","hostname":"eas.example"}],"services":[]}"#, &["activesync eas.example:443 tls"]),
    ] {
        let win = detect((200, &[], body)).win.unwrap();
        let line = |server: &crate::model::Server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security);
        assert_eq!(win.settings.servers().map(line).collect::<Vec<_>>(), expected, "{body}");
        let of_database = win.provider_id.is_none();
        assert_eq!(win.way, Way::AutoDetect { unverified: of_database }, "{body}");
    }
    let win = detect((200, &[], fixture!("autodetect-office365.json"))).win.unwrap();
    assert_eq!(win.guarded.unwrap().host, "outlook.office.com");
    let tried = r#"{"protocols":[{"protocol":"imap","hostname":"a.example","validated":true}]}"#;
    assert_eq!(detect((200, &[], tried)).win.unwrap().way, Way::AutoDetect { unverified: false });
    for (said, doubts, faults) in [
        ((200, &[][..], fixture!("autodetect-two-services.json")), 1, 0),
        ((204, &[], ""), 0, 0),
        ((200, &[], fixture!("autodetect-empty-lists.json")), 0, 0),
        ((202, &[], ""), 1, 0),
        ((503, &[], ""), 1, 0),
        ((200, &[], r#"{"protocols":[{"protocol":"smtp","hostname":"a.example"}]}"#), 0, 1),
        ((200, &[], "<html/>"), 1, 0),
        ((404, &[], ""), 1, 0),
    ] {
        let discovery = detect(said);
        assert_eq!((discovery.win.is_none(), discovery.doubts.len(), discovery.faults.len()), (true, doubts, faults), "{said:?}");
    }
}

#[test]
fn a_pacc_document_counts_where_dns_has_its_digest() {
    let body = include_str!("../../../tests/fixtures/documents/pacc-good.json");
    let digest = base64(&Sha256::digest(body));
    let record = |text: &str| Reply::Txt(vec![text.to_owned()]);
    let good = format!("v=UAAC1; a=sha256; d={digest}");
    for (reply, finds, doubts, faults) in [
        (record(&good), true, 0, 0),
        (record("v=UAAC1; a=sha256; d=MOA19C2fw1LnfpriQEArPk+FRkxoE7UVaunADBmu7G8="), false, 0, 1),
        (record("v=spf1 -all"), false, 0, 1),
        (Reply::Obstacle(Obstacle::NxDomain), false, 0, 1),
        (Reply::Obstacle(Obstacle::ServFail), false, 1, 0),
    ] {
        let stage = Stage::new(EXO)
            .document("https://ua-auto-config.contoso.com/.well-known/user-agent-configuration.json", body)
            .other(Request::Txt { name: "_ua-auto-config.contoso.com".to_owned() }, reply.clone());
        let discovery = stage.discover("pacc");
        assert_eq!((discovery.win.is_some(), discovery.doubts.len(), discovery.faults.len()), (finds, doubts, faults), "{reply:?}");
        if let Some(win) = discovery.win {
            assert_eq!((win.way, win.requests.len(), win.settings.incoming.len(), win.settings.outgoing.len()), (Way::Pacc, 2, 2, 1));
        }
    }
}

fn base64(octets: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(octets)
}

#[test]
fn jmap_is_where_a_record_or_the_domain_itself_says() {
    let session = include_str!("../../../tests/fixtures/documents/jmap-session.json");
    let (of_target, of_domain) = ("https://jmap.example:8443/.well-known/jmap", "https://contoso.com/.well-known/jmap");
    let get = |url: &str| Request::Get { url: url.to_owned(), address: None };
    let srv = |reply| Stage::new(EXO).other(Request::Srv { name: "_jmap._tcp.contoso.com".to_owned() }, reply);
    let record = || srv(Reply::Srv(vec![SrvRecord { priority: 0, weight: 1, port: 8443, target: "jmap.example".to_owned() }]));
    let not_offered = || srv(Reply::Obstacle(Obstacle::NotOffered));
    for (stage, server, is_guarded) in [
        (record().document(of_target, session), Some("jmap.contoso.com:443"), false),
        (record().other(get(of_target), guarded(false)), Some("jmap.example:8443"), false),
        (record().document(of_domain, session), None, false),
        (Stage::new(EXO).document(of_domain, session), Some("jmap.contoso.com:443"), false),
        (Stage::new(EXO).other(get(of_domain), guarded(false)), None, true),
        (not_offered().document(of_domain, session), None, false),
        (Stage::new(EXO), None, false),
    ] {
        let win = stage.discover("jmap").win;
        let first = win.as_ref().and_then(|win| win.settings.incoming.first());
        assert_eq!(first.map(|server| format!("{}:{}", server.host, server.port)).as_deref(), server);
        assert_eq!(win.and_then(|win| win.guarded).is_some(), is_guarded);
    }
}

#[test]
fn a_client_that_finds_nothing_says_what_is_missing() {
    for (client, seeks) in [
        ("thunderbird", &[Protocol::Imap, Protocol::Pop3, Protocol::Smtp][..]),
        ("kmail", &[Protocol::Imap, Protocol::Pop3, Protocol::Smtp]),
        ("geary", &[Protocol::Imap, Protocol::Smtp]),
        ("gnome-online-accounts", &[Protocol::Imap, Protocol::Smtp]),
        ("nextcloud-mail", &[Protocol::Imap, Protocol::Smtp]),
        ("himalaya", &[Protocol::Imap, Protocol::Smtp]),
        ("delta-chat", &[Protocol::Imap, Protocol::Smtp]),
        ("snappymail", &[Protocol::Imap, Protocol::Smtp]),
        ("mailcore", &[Protocol::Imap, Protocol::Smtp]),
        ("activesync", &[Protocol::ActiveSync]),
        ("outlook-classic", &[Protocol::Exchange]),
    ] {
        let discovery = Stage::new(EXO).discover(client);
        assert_eq!((discovery.win.is_none(), discovery.seeks.as_slice()), (true, seeks), "{client}");
    }
}
