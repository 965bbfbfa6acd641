use super::*;
use crate::model::{Address, Hop, HttpDocument, Message, MxRecord, Security, SrvRecord};

const CONFIG: &str = "https://autoconfig.contoso.com/mail/config-v1.1.xml";

fn overlay(texts: &[&str]) -> Overlay {
    let mut overlay = Overlay::default();
    for text in texts {
        overlay.assume(text, &read).unwrap_or_else(|error| panic!("{error}"));
    }
    overlay
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    match file {
        "no.xml" => Err("no.xml cannot be read: not there".to_owned()),
        "empty.xml" => Ok(Vec::new()),
        "large.xml" => Ok(vec![b' '; 256 * 1024 + 1]),
        file => Ok(file.as_bytes().to_vec()),
    }
}

fn mx(domain: &str) -> Request {
    Request::Mx { domain: domain.parse().unwrap() }
}

fn srv(name: &str) -> Request {
    Request::Srv { name: name.to_owned() }
}

fn txt(name: &str) -> Request {
    Request::Txt { name: name.to_owned() }
}

fn addresses(name: &str) -> Request {
    Request::Addresses { name: name.to_owned() }
}

fn get(url: &str) -> Request {
    Request::Get { url: url.to_owned(), address: None }
}

fn pox(url: &str) -> Request {
    Request::Pox { url: url.to_owned(), address: Address::parse("anna@contoso.com").unwrap() }
}

fn http(url: &str) -> Request {
    Request::Http { url: url.to_owned(), message: Message::Get { address: None } }
}

fn document(status: u16, content_type: &str, body: &str) -> Reply {
    let body = body.as_bytes().into();
    Reply::Document(HttpDocument { status, content_type: content_type.to_owned(), headers: Vec::new(), body })
}

#[test]
fn records_are_read_as_a_zone_file_has_them() {
    let none = |obstacle| Some(Reply::Obstacle(obstacle));
    let exchange = |preference, exchange: &str| MxRecord { preference, exchange: exchange.to_owned() };
    let service = |priority, weight, port, target: &str| SrvRecord { priority, weight, port, target: target.to_owned() };
    let texts = |texts: &[&str]| Some(Reply::Txt(texts.iter().map(|text| (*text).to_owned()).collect()));
    for (text, request, expected) in [
        ("MX contoso.com = 0 MX.Contoso.com.", mx("contoso.com"), Some(Reply::Mx(vec![exchange(0, "mx.contoso.com")]))),
        (
            "mx Contoso.com. =10 b.example,  0 a.example",
            mx("contoso.com"),
            Some(Reply::Mx(vec![exchange(0, "a.example"), exchange(10, "b.example")])),
        ),
        ("MX münchen.example = 0 a.example", mx("xn--mnchen-3ya.example"), Some(Reply::Mx(vec![exchange(0, "a.example")]))),
        ("MX contoso.com =", mx("contoso.com"), none(Obstacle::NoData)),
        ("MX contoso.com = none", mx("contoso.com"), none(Obstacle::NoData)),
        ("MX contoso.com = 0 .", mx("contoso.com"), none(Obstacle::NotOffered)),
        ("MX contoso.com = nxdomain", mx("contoso.com"), none(Obstacle::NxDomain)),
        ("MX contoso.com = NXDOMAIN", srv("_imaps._tcp.contoso.com"), none(Obstacle::NxDomain)),
        ("MX contoso.com = nxdomain", get(CONFIG), none(Obstacle::NxDomain)),
        ("MX contoso.com = nxdomain", mx("evilcontoso.com"), None),
        ("MX contoso.com = 0 a.example", mx("sub.contoso.com"), None),
        ("MX contoso.com = 0 a.example", txt("contoso.com"), None),
        (
            "SRV _imaps._tcp.Contoso.com = 0 1 993 outlook.office365.com, 0 0 0 .",
            srv("_imaps._tcp.contoso.com"),
            Some(Reply::Srv(vec![service(0, 0, 0, ""), service(0, 1, 993, "outlook.office365.com")])),
        ),
        ("SRV _imap._tcp.contoso.com = 0 0 0 .", srv("_imap._tcp.contoso.com"), none(Obstacle::NotOffered)),
        ("TXT contoso.com = \"v=UAAC1; a=\" \"sha256, \\\"x\\\"\"", txt("contoso.com"), texts(&["v=UAAC1; a=sha256, \"x\""])),
        ("TXT contoso.com = \"one\", \"two\"", txt("contoso.com"), texts(&["one", "two"])),
        ("TXT contoso.com = v=spf1 a, b -all", txt("contoso.com"), texts(&["v=spf1 a, b -all"])),
        ("CNAME autoconfig.contoso.com = none", get(CONFIG), none(Obstacle::NoData)),
        ("CNAME autoconfig.contoso.com = none", addresses("autoconfig.contoso.com"), none(Obstacle::NoData)),
        ("CNAME autoconfig.contoso.com = nxdomain", get(CONFIG), none(Obstacle::NxDomain)),
        ("CNAME autoconfig.contoso.com = host.example", get(CONFIG), None),
    ] {
        let answer = overlay(&[text]).answer(&request);
        assert_eq!(answer.map(|answer| answer.reply), expected, "{text}: {request:?}");
    }
    let greeting = Request::Greeting { host: "imap.contoso.com".to_owned(), port: 993, security: Security::Tls };
    assert!(overlay(&["CNAME imap.contoso.com = nxdomain"]).answer(&greeting).is_some());
}

#[test]
fn a_url_answers_with_a_file_or_a_status() {
    let none = |obstacle| Some(Reply::Obstacle(obstacle));
    let document = |status, content_type: &str, body: &str| Some(document(status, content_type, body));
    let with = |query: &str| get(&format!("{CONFIG}?{query}"));
    let (clear, v2) = ("http://autodiscover.contoso.com/autodiscover/autodiscover.xml", "https://outlook.office365.com/autodiscover.json");
    let redirect = Request::Redirect { url: clear.to_owned() };
    let challenge = || none(Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers: Vec::new() });
    for (text, request, expected) in [
        (format!("{CONFIG} = right.xml"), get(CONFIG), document(200, "text/xml", "right.xml")),
        (format!("{CONFIG} = right.xml"), with("emailaddress=anna%40contoso.com"), document(200, "text/xml", "right.xml")),
        (
            format!("{CONFIG}?emailaddress=anna@contoso.com = a.xml"),
            with("emailaddress=anna%40contoso.com"),
            document(200, "text/xml", "a.xml"),
        ),
        (format!("{CONFIG}?emailaddress=anna@contoso.com = a.xml"), with("emailaddress=bert%40contoso.com"), None),
        (format!("{CONFIG}?emailaddress=anna@contoso.com = a.xml"), get(CONFIG), None),
        (format!("{CONFIG} = page; text/xml; charset=utf-8"), get(CONFIG), document(200, "text/xml; charset=utf-8", "page")),
        (format!("{CONFIG} = page.HTML"), get(CONFIG), document(200, "text/html", "page.HTML")),
        (format!("{CONFIG} = empty.xml"), get(CONFIG), none(Obstacle::Empty { status: 200, content_type: "text/xml".to_owned() })),
        (format!("{CONFIG} = large.xml"), get(CONFIG), none(Obstacle::TooLarge)),
        (format!("{CONFIG} = 404"), get(CONFIG), none(Obstacle::NotThere { status: 404 })),
        (format!("{CONFIG} = 403"), get(CONFIG), none(Obstacle::Rejected { status: 403 })),
        (format!("{CONFIG} = 204"), get(CONFIG), none(Obstacle::Empty { status: 204, content_type: String::new() })),
        (format!("{CONFIG} = 503"), get(CONFIG), none(Obstacle::ServerError { status: 503 })),
        (format!("{CONFIG} = 404"), get(&CONFIG.replace("https", "http")), None),
        (format!("{CONFIG} = 404"), get("https://autoconfig.contoso.com:8443/mail/config-v1.1.xml"), None),
        (format!("{CONFIG} = 401"), pox(CONFIG), challenge()),
        (format!("{clear} = answer.xml"), redirect.clone(), none(Obstacle::NoRedirect)),
        (format!("{clear} = answer.xml"), pox(clear), document(200, "text/xml", "answer.xml")),
        (format!("{clear} = 429"), redirect.clone(), none(Obstacle::TooManyRequests)),
        (format!("{v2} = answer.json"), http(v2), document(200, "application/json", "answer.json")),
        (format!("{v2} = 404"), http(v2), document(404, "", "")),
        (format!("{v2} = 401"), http(v2), challenge()),
        (format!("{v2} = 500"), http(v2), none(Obstacle::ServerError { status: 500 })),
    ] {
        let answer = overlay(&[&text]).answer(&request);
        assert_eq!(answer.map(|answer| answer.reply), expected, "{text}: {request:?}");
    }
    let answer = overlay(&[&format!("{clear} = answer.xml")]).answer(&redirect).unwrap();
    assert_eq!(answer.hops, [Hop { url: clear.to_owned(), status: Some(200), location: None }], "clients look at the status");
}

#[test]
fn what_is_no_assumption_is_told_with_the_form() {
    for (text, message) in [
        ("", "`` cannot be assumed: `` is neither MX, TXT, SRV or CNAME nor a URL; write it as `MX contoso.com = 0 mx.contoso.com"),
        ("A contoso.com = 192.0.2.1", "`A` is neither MX, TXT, SRV or CNAME nor a URL"),
        ("MX contoso.com", "it has no `=`; write it as `MX contoso.com = 0 mx.contoso.com, 10 mx2.contoso.com`"),
        ("MX = 0 a.example", "`` is no name"),
        ("MX con toso.com = 0 a.example", "`con toso.com` is no name"),
        ("MX contoso.com = a.example", "`a.example` is no MX record"),
        ("MX contoso.com = 0 a.example,", "`` is no MX record"),
        ("MX contoso.com = 70000 a.example", "`70000 a.example` is no MX record"),
        ("MX contoso.com = 0 https://a.example", "`0 https://a.example` is no MX record"),
        ("SRV _imaps._tcp.contoso.com = 0 1 993", "`0 1 993` is no SRV record; write it as `SRV _imaps._tcp.contoso.com = 0 1 993"),
        ("TXT contoso.com = \"open", "`\"open` is no TXT record"),
        ("TXT contoso.com = \"a\" b", "is no TXT record"),
        ("TXT contoso.com = \"a\",", "is no TXT record"),
        ("CNAME autodiscover.contoso.com = 192.0.2.1", "`192.0.2.1` is no CNAME record"),
        ("CNAME a.contoso.com = A.contoso.com.", "the name would be an alias of itself"),
        ("https://a.example/x.xml=right.xml", "it has no `=` with a space before it; write it as `https://autoconfig.contoso.com/"),
        ("https://a.example/x.xml =", "nothing stands behind the `=`"),
        ("ftp://a.example/x.xml = a.xml", "that is no URL"),
        ("https:// = a.xml", "that is no URL"),
        ("https://a.example/x.xml = 302", "a redirect cannot be assumed, only what its target answers"),
        ("https://a.example/x.xml = 999", "that is no status"),
        ("https://a.example/x.xml = no.xml", "`https://a.example/x.xml = no.xml` cannot be assumed: no.xml cannot be read: not there"),
    ] {
        let error = Overlay::default().assume(text, &read).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let mut twice = overlay(&["MX contoso.com = 0 a.example"]);
    let error = twice.assume("mx Contoso.com = 10 b.example", &read).unwrap_err();
    assert!(error.to_string().ends_with("write several records in one, with `,` between them"), "{error}");
}

#[test]
fn an_alias_moves_whatever_depends_on_its_name() {
    let overlay = overlay(&["CNAME autodiscover.contoso.com = autodiscover.outlook.com"]);
    assert_eq!(overlay.aliases().collect::<Vec<_>>(), [("autodiscover.contoso.com", "autodiscover.outlook.com")]);
    let hop = |url: &str| Hop { url: url.to_owned(), status: Some(302), location: None };
    let answer = |hops: Vec<Hop>, cnames: &[&str]| Answer {
        reply: Reply::Obstacle(Obstacle::Timeout),
        hops,
        cnames: cnames.iter().map(|name| (*name).to_owned()).collect(),
        attempts: 1,
        took_ms: 1,
    };
    let host = "https://autodiscover.contoso.com/autodiscover/autodiscover.xml";
    for (request, answer, moves) in [
        (pox(host), answer(Vec::new(), &[]), true),
        (addresses("Autodiscover.contoso.com."), answer(Vec::new(), &[]), true),
        (pox("https://contoso.com/"), answer(vec![hop("https://contoso.com/"), hop(host)], &[]), true),
        (pox("https://contoso.com/"), answer(Vec::new(), &["autodiscover.contoso.com", "b.example"]), true),
        (pox("https://contoso.com/"), answer(vec![hop("https://contoso.com/")], &["b.example"]), false),
        (mx("contoso.com"), answer(Vec::new(), &[]), false),
        (Request::BuiltIn { row: "MSN".to_owned() }, answer(Vec::new(), &[]), false),
    ] {
        assert_eq!(overlay.moves(&request, &answer), moves, "{request:?}");
    }
}

#[test]
fn a_redirect_that_leads_to_what_is_assumed_ends_there() {
    let overlay = overlay(&["https://config.example/shared.xml = right.xml", "MX other.example = none"]);
    let hop = |url: &str| Hop { url: url.to_owned(), status: Some(302), location: None };
    let hops = vec![hop(CONFIG), hop("https://config.example/shared.xml?user=anna"), hop("https://elsewhere.example/")];
    let real = Answer { reply: Reply::Obstacle(Obstacle::Timeout), hops, cnames: vec!["b.example".into()], attempts: 2, took_ms: 9 };
    let amended = overlay.amend(&get(CONFIG), &real).unwrap();
    assert_eq!(amended.reply, document(200, "text/xml", "right.xml"));
    let went: Vec<(&str, Option<u16>)> = amended.hops.iter().map(|hop| (hop.url.as_str(), hop.status)).collect();
    assert_eq!(went, [(CONFIG, Some(302)), ("https://config.example/shared.xml?user=anna", Some(200))]);
    assert_eq!(amended.cnames, ["b.example"]);
    let asked = get(CONFIG);
    assert_eq!(overlay.idle(&[(&asked, &real)]).collect::<Vec<_>>(), ["MX other.example = none"]);
    assert_eq!(overlay.amend(&Request::Redirect { url: CONFIG.to_owned() }, &real), None, "that follows none");
}
