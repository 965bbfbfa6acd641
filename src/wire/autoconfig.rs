//! `config-v1.1.xml` (draft-ietf-mailmaint-autoconfig), with what the ISP database and Firefox OS wrote before it.

use super::{
    Fault,
    element::{Element, Match},
    xml::read_tree,
};
use crate::model::{Autoconfig, AutoconfigServer};

/// Reads a `config-v1.1.xml` document; one that breaks midway is read up to there and is not strict.
///
/// # Errors
/// The [`Fault`] that leaves nothing to read. A document without a usable server is none: the clients judge that.
pub fn parse_autoconfig(body: &[u8], content_type: &str) -> Result<Autoconfig, Fault> {
    read_autoconfig(body, content_type).map(|(document, _)| document)
}

/// Reads a document, and tells why it cannot be used where it cannot.
pub(super) fn read_autoconfig(body: &[u8], content_type: &str) -> Result<(Autoconfig, Option<Fault>), Fault> {
    let tree = read_tree(body, content_type, "clientConfig")?;
    let Some(provider) = tree.root.child("emailProvider") else {
        return Err(tree.broken.unwrap_or(Fault::NoEmailProvider));
    };
    let document = Autoconfig {
        strict: tree.well_formed && !deviates(&tree.root, provider),
        provider_id: provider.attribute("id").map(ToOwned::to_owned),
        display_name: provider.text_of("displayName"),
        domains: provider.texts_of("domain"),
        incoming: provider.children("incomingServer").map(server).collect(),
        outgoing: provider.children("outgoingServer").map(server).collect(),
    };
    let is_usable = document.incoming.iter().chain(&document.outgoing).any(|server| server.hostname.is_some() || server.url.is_some());
    let flaw = tree.broken.or_else(|| (!is_usable).then_some(Fault::NoServer));
    Ok((document, flaw))
}

fn server(element: &Element) -> AutoconfigServer {
    let hostname = element.text_of("hostname");
    // beside a host name it is not needed, so that another spelling is something else
    let url = |name: &str| element.text_of(name).filter(|_| hostname.is_none() || !element.lacks_exact(name));
    AutoconfigServer {
        kind: element.attribute("type").unwrap_or_default().to_owned(),
        url: url("url").or_else(|| url("server")),
        port: element.text_of("port"),
        socket_types: element.texts_of("socketType"),
        authentications: element.texts_of("authentication"),
        username: element.text_of("username"),
        has_username: element.child("username").is_some(),
        // only strict readers know it
        ews_url: element.text_of("ewsURL").filter(|_| !element.lacks_exact("ewsURL")),
        hostname,
    }
}

/// Whether something that clients need is there in another spelling alone. Clients compare names as they are written, and pass over what
/// they do not know: what has a prefix or other letter case beside the right name is nothing to them (JXON in Thunderbird keys by
/// `nodeName`, Thunderbird for Android skips other names, as do readers on `GMarkup`).
fn deviates(root: &Element, provider: &Element) -> bool {
    let servers = || provider.children("incomingServer").chain(provider.children("outgoingServer"));
    let has_odd_server = || {
        servers().any(|server| {
            let place: &[&str] = if server.child("hostname").is_some() { &[] } else { &["url", "server"] };
            server.lacks_exact_attribute("type") || SERVER.iter().chain(place).any(|name| server.lacks_exact(name))
        })
    };
    root.matches("clientConfig") != Some(Match::Exact)
        || root.lacks_exact("emailProvider")
        || provider.lacks_exact_attribute("id")
        || ["domain", "incomingServer", "outgoingServer"].iter().any(|name| provider.lacks_exact(name))
        || has_odd_server()
}

/// What clients need of a server, beside its URL where it has no host name.
const SERVER: [&str; 5] = ["hostname", "port", "socketType", "authentication", "username"];

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            ($name, include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice())
        };
    }

    const XML: &str = "text/xml";

    /// What a person reads in most of the fixtures.
    fn contoso(display_name: &str) -> Autoconfig {
        let server = |kind: &str, hostname: &str, port: &str, socket_type: &str| AutoconfigServer {
            kind: kind.into(),
            hostname: Some(hostname.into()),
            url: None,
            port: Some(port.into()),
            socket_types: vec![socket_type.into()],
            authentications: vec!["password-cleartext".into()],
            username: Some("%EMAILADDRESS%".into()),
            has_username: true,
            ews_url: None,
        };
        Autoconfig {
            strict: true,
            provider_id: Some("contoso.com".into()),
            display_name: Some(display_name.into()),
            domains: vec!["contoso.com".into()],
            incoming: vec![server("imap", "imap.contoso.com", "993", "SSL")],
            outgoing: vec![server("smtp", "smtp.contoso.com", "587", "STARTTLS")],
        }
    }

    #[test]
    fn oddities_around_the_servers_leave_the_servers_alone() {
        for ((name, body), strict, display_name) in [
            (fixture!("config-good.xml"), true, "Contoso"),
            (fixture!("config-byte-order-mark.xml"), true, "Contoso München"),
            (fixture!("config-utf-16le.xml"), true, "Contoso München"),
            (fixture!("config-windows-1252-called-utf-8.xml"), false, "Contoso München"),
            (fixture!("config-leading-newline.xml"), false, "Contoso"),
            (fixture!("config-server-warning-before.xml"), false, "Contoso"),
            (fixture!("config-text-after-root.xml"), false, "Contoso"),
            (fixture!("config-two-roots.xml"), false, "Contoso"),
            (fixture!("config-two-providers.xml"), true, "Contoso"),
            (fixture!("config-no-declaration.xml"), true, "Contoso"),
            (fixture!("config-doctype.xml"), true, "Contoso"),
            (fixture!("config-entity-bomb.xml"), false, "&i;&file;"),
            (fixture!("config-undefined-entity.xml"), false, "Contoso&nbsp;AG & Co."),
            (fixture!("config-bare-ampersand.xml"), false, "Smith & Sons"),
            (fixture!("config-cdata-and-comments.xml"), true, "Contoso"),
            (fixture!("config-duplicate-type.xml"), false, "Contoso"),
            (fixture!("config-unquoted-attribute.xml"), false, "Contoso"),
            (fixture!("config-other-letter-case.xml"), false, "Contoso"),
            (fixture!("config-foreign-extension.xml"), true, "Contoso"),
            // to clients `x:hostname` is an element like any other that they do not know
            (fixture!("config-prefixed-extension.xml"), true, "Contoso"),
            (fixture!("config-unbound-prefix.xml"), false, "Contoso"),
        ] {
            let expected = Autoconfig { strict, ..contoso(display_name) };
            assert_eq!(read_autoconfig(body, XML), Ok((expected, None)), "{name}");
        }
    }

    #[test]
    fn a_prefix_is_read_and_is_not_strict() {
        let document = parse_autoconfig(fixture!("config-prefixed.xml").1, XML).unwrap();
        assert!(!document.strict);
        assert_eq!((document.provider_id.as_deref(), document.domains), (Some("contoso.com"), vec!["contoso.com".to_owned()]));
        assert_eq!(document.incoming[0].hostname.as_deref(), Some("imap.contoso.com"));
    }

    #[test]
    fn another_spelling_is_a_deviation_only_where_the_right_one_is_missing_beside_it() {
        let good = String::from_utf8(fixture!("config-good.xml").1.to_vec()).unwrap();
        let read = |from: &str, to: &str| {
            let odd = good.replace("<clientConfig ", "<clientConfig xmlns:x='u' ").replace(from, to);
            assert!(odd.contains(to), "{from}");
            read_autoconfig(odd.as_bytes(), XML).unwrap().0
        };
        let server = "<incomingServer type=\"imap\">";
        for extension in [
            "<x:port>1</x:port><HostName>no.example</HostName><SocketType>plain</SocketType>",
            "<x:url>https://no.example/</x:url><Server>no.example</Server><x:ewsURL>https://no.example/</x:ewsURL>",
            "<Type>pop3</Type><x:incomingServer/><emailprovider/>",
        ] {
            assert_eq!(read(server, &format!("{server}{extension}")), contoso("Contoso"), "{extension}");
        }
        let beside = "<x:domain>no.example</x:domain><IncomingServer type='imap'><hostname>no.example</hostname></IncomingServer><domain>";
        assert_eq!(read("<domain>", beside), contoso("Contoso"));
        assert_eq!(read("type=\"imap\"", "TYPE=\"pop3\" type=\"imap\""), contoso("Contoso"));
        // a name for people is not needed
        assert!(read("displayName>", "displayname>").strict);
        for name in ["emailProvider", "domain", "incomingServer", "outgoingServer", "hostname", "port", "socketType", "username"] {
            for other in [format!("x:{name}"), name.to_uppercase()] {
                let odd = good.replace("<clientConfig ", "<clientConfig xmlns:x='u' ");
                let odd = odd.replace(&format!("<{name}"), &format!("<{other}")).replace(&format!("</{name}"), &format!("</{other}"));
                let expected = Autoconfig { strict: false, ..contoso("Contoso") };
                assert_eq!(read_autoconfig(odd.as_bytes(), XML).unwrap().0, expected, "{other}");
            }
        }
        assert!(!read("type=\"imap\"", "TYPE=\"imap\"").strict && !read(" id=", " ID=").strict);
        assert!(!read("hostname>imap.contoso.com</hostname>", "x:url>https://imap.contoso.com/</x:url>").strict, "its only place");
    }

    #[test]
    fn every_value_is_kept_in_order_and_as_written() {
        let document = parse_autoconfig(fixture!("config-unknown-socket-type.xml").1, XML).unwrap();
        assert_eq!(document.incoming[0].socket_types, ["TLS13", "SSL"]);
        let document = parse_autoconfig(fixture!("config-urls.xml").1, XML).unwrap();
        assert!(document.strict);
        let [imap, ews] = document.incoming.as_slice() else { panic!("{document:?}") };
        assert_eq!((imap.kind.as_str(), ews.kind.as_str()), ("imap", "ews"));
        let expected = AutoconfigServer {
            kind: "ews".into(),
            url: Some("https://mail.contoso.com/EWS/Exchange.asmx".into()),
            authentications: vec!["OAuth2".into(), "http-basic".into()],
            has_username: true,
            ..AutoconfigServer::default()
        };
        assert_eq!(*ews, expected);
        let document = parse_autoconfig(fixture!("config-activesync.xml").1, XML).unwrap();
        assert_eq!(document.incoming[0].kind, "ActiveSync");
        assert_eq!(document.incoming[0].url.as_deref(), Some("https://mail.contoso.com/Microsoft-Server-ActiveSync"));
    }

    #[test]
    fn what_breaks_midway_keeps_the_servers_before() {
        for ((name, body), outgoing, cut_off) in [
            (fixture!("config-truncated.xml"), Some("smtp.c"), true),
            (fixture!("config-mismatched-end-tag.xml"), Some("smtp.contoso.com"), false),
            (fixture!("config-too-deep.xml"), None, false),
        ] {
            let (document, flaw) = read_autoconfig(body, XML).unwrap();
            assert!(!document.strict, "{name}");
            assert_eq!(document.incoming, contoso("").incoming, "{name}");
            assert_eq!(document.outgoing.first().and_then(|server| server.hostname.as_deref()), outgoing, "{name}");
            assert_eq!((flaw.is_some(), matches!(flaw, Some(Fault::CutOff { .. }))), (true, cut_off), "{name}: {flaw:?}");
        }
    }

    #[test]
    fn what_is_no_configuration_is_refused_by_name() {
        for ((name, body), fault) in [
            (fixture!("empty.xml"), Fault::Empty),
            (fixture!("white-space.xml"), Fault::Empty),
            (fixture!("page.html"), Fault::Html),
            (fixture!("page-strict.html"), Fault::Html),
            (fixture!("answer.json"), Fault::Json),
            (fixture!("text.txt"), Fault::NotXml),
            (fixture!("soap-fault.xml"), Fault::WrongRoot { name: "Envelope".into() }),
            (fixture!("pox-exchange.xml"), Fault::WrongRoot { name: "Autodiscover".into() }),
            (fixture!("config-no-email-provider.xml"), Fault::NoEmailProvider),
        ] {
            assert_eq!(parse_autoconfig(body, XML), Err(fault), "{name}");
        }
        let (document, flaw) = read_autoconfig(fixture!("config-no-server.xml").1, XML).unwrap();
        assert_eq!((document.incoming.len(), document.strict, flaw), (1, true, Some(Fault::NoServer)));
    }
}
