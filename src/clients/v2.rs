//! Autodiscover v2 as its clients walk it (`microsoft.md` section 3.2): one question, and redirects by hand. They are followed to
//! Microsoft's own hosts and to those of the mailbox's registrable domain alone, over https, five at most.

use url::Url;

use super::{
    autodiscover::{Hunt, Seeker},
    mobilesync::web_server,
    pox,
    search::Trail,
};
use crate::model::{
    Address, AnswerOutcome, AutodiscoverV2, Document, EMAIL_ADDRESS_IN_URL, Lookup, LookupKind, Message, Obstacle, Protocol, Reading,
    Readings, Reply, Request, Settings, Subject, V2Endpoint, V2Protocol, Win, exchange_cloud, is_within, registrable, v2_path_url,
};

/// How far a walk along Autodiscover v2 has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct V2Way {
    /// What has to be asked before it goes on.
    pub missing: Vec<Lookup>,
    /// What has been asked and what is missing, in order.
    pub chain: Vec<Lookup>,
    /// The host that the last redirect names, lower case, followed or not.
    pub sent_to: Option<String>,
    /// Where it ends; `None` while something is missing.
    pub end: Option<V2End>,
}

/// Where a walk along Autodiscover v2 ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum V2End {
    /// It names a place for the protocol.
    Endpoint(V2Endpoint),
    /// It names none: what the last answer comes to, and why, a line; never [`AnswerOutcome::Found`]. Where we do not follow, others
    /// may, so that is [`AnswerOutcome::Failed`].
    Nothing(AnswerOutcome, String),
}

/// Walks along the answers for one mailbox, from `outlook.office365.com` on, which redirects to the other clouds.
#[must_use]
pub fn settle_v2(readings: &Readings, address: &Address, protocol: V2Protocol) -> V2Way {
    let mut way = walk(&mut |lookup| readings.get(&lookup.request), (address, protocol), FIRST_HOST);
    if way.end.is_none() {
        way.missing.extend(way.chain.last().cloned());
    }
    way
}

/// A client's step: the hosts in order, until one names a place. Where that is Autodiscover's XML, the client asks there next.
pub(super) fn search(trail: &mut Trail<'_>, seeker: &Seeker<'_>, hunt: &Hunt) -> Option<Win> {
    let protocol = seeker.step.protocol?;
    let first = [FIRST_HOST.to_owned()];
    let hosts = if seeker.step.hosts.is_empty() { first.as_slice() } else { &seeker.step.hosts };
    for host in hosts {
        let way = walk(&mut |lookup| trail.ask(lookup), (&hunt.subject.address, protocol), host);
        let last = way.chain.last()?;
        match &way.end {
            Some(V2End::Endpoint(endpoint)) => return win(trail, seeker, (&way, endpoint, hunt)),
            Some(V2End::Nothing(outcome, why)) => trail.record(last, *outcome, why),
            None if trail.is_lost(last) => {}
            None => return None,
        }
    }
    None
}

fn win(trail: &mut Trail<'_>, seeker: &Seeker<'_>, (way, endpoint, hunt): (&V2Way, &V2Endpoint, &Hunt)) -> Option<Win> {
    let hunt = Hunt { redirected: hunt.redirected || way.sent_to.is_some(), ..hunt.clone() };
    let requests: Vec<Request> = way.chain.iter().map(|lookup| lookup.request.clone()).collect();
    let protocol = match seeker.step.protocol? {
        V2Protocol::ActiveSync => Protocol::ActiveSync,
        V2Protocol::Ews => Protocol::Ews,
        V2Protocol::Rest => Protocol::Graph,
        V2Protocol::AutodiscoverV1 => {
            let mut win = pox::search_at(trail, seeker, &endpoint.url, &hunt)?;
            win.requests.splice(0..0, requests);
            return Some(win);
        }
    };
    let settings = Settings { incoming: vec![web_server(protocol, &endpoint.url)?], outgoing: Vec::new() };
    Some(Win { requests, ..hunt.win(way.chain.last()?, settings, None) })
}

/// Walks from a host on; `ask` has no answer where one is missing, or where it is to be taken for lost.
pub(super) fn walk<'a>(
    ask: &mut dyn FnMut(&Lookup) -> Option<&'a Reading>,
    (address, protocol): (&Address, V2Protocol),
    host: &str,
) -> V2Way {
    let mut way = V2Way::default();
    let mut url = v2_path_url(host, address, protocol);
    loop {
        let lookup = question(&url, address);
        if way.chain.contains(&lookup) {
            return way.end_with(AnswerOutcome::Invalid, "the redirects go in a circle");
        }
        way.chain.push(lookup.clone());
        let Some(reading) = ask(&lookup) else { return way };
        let Document::AutodiscoverV2(document) = &reading.document else {
            let proves = exchange_cloud(&host_of(&url)).is_none() || is_not_there(reading);
            return way.end_with(if proves { reading.outcome } else { AnswerOutcome::Failed }, &reading.detail);
        };
        match document.as_ref() {
            AutodiscoverV2::Endpoint(endpoint) => {
                way.end = Some(V2End::Endpoint(endpoint.clone()));
                return way;
            }
            AutodiscoverV2::Refused(_) => return way.end_with(reading.outcome, &reading.detail),
            AutodiscoverV2::Redirect { url: target, host } => {
                way.sent_to = Some(host.clone());
                if !is_followed(host, address) {
                    return way.end_with(
                        AnswerOutcome::Failed,
                        &format!("sent on to {host}, which is neither Microsoft's nor the domain's own: not followed here"),
                    );
                }
                if way.chain.len() > MOST_REDIRECTS {
                    return way.end_with(AnswerOutcome::Failed, "more than 5 redirects");
                }
                url.clone_from(target);
            }
        }
    }
}

impl V2Way {
    fn end_with(mut self, outcome: AnswerOutcome, why: &str) -> Self {
        self.end = Some(V2End::Nothing(outcome, why.to_owned()));
        self
    }
}

fn question(url: &str, address: &Address) -> Lookup {
    let request = Request::Http { url: url.to_owned(), message: Message::Get { address: Some(address.clone()) } };
    let asked = url.replace(&address.percent_encoded(), EMAIL_ADDRESS_IN_URL).replace(&address.to_string(), EMAIL_ADDRESS_IN_URL);
    Lookup { kind: LookupKind::AutodiscoverV2, request, asked }
}

/// Exchange Online is known to be well: what stands in the place of its answers is on our way to it, but for a 404.
fn is_not_there(reading: &Reading) -> bool {
    let is_unknown = matches!(reading.answer.reply, Reply::Obstacle(Obstacle::NxDomain | Obstacle::NoData));
    reading.outcome == AnswerOutcome::Absent && !is_unknown
}

/// Whether a redirect to a host is followed.
pub(super) fn is_followed(host: &str, address: &Address) -> bool {
    let is_microsofts = exchange_cloud(host).is_some() || MICROSOFT.iter().any(|domain| is_within(host, domain));
    let own = registrable(address.domain().as_str());
    is_microsofts || (own.is_some() && registrable(host) == own)
}

/// The host of a URL, lower case; empty where it has none.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_lowercase)).unwrap_or_default()
}

/// A URL as its host may read it, be it from a redirect that clients follow by hand: a stranger's names no mailbox.
pub(super) fn discreet(url: &str, subject: &Subject) -> String {
    let parsed = Url::parse(url).ok();
    let kept = parsed.and_then(|parsed| subject.url_for_stranger(parsed.as_str(), parsed.host_str().unwrap_or_default()));
    kept.unwrap_or_else(|| url.to_owned())
}

/// It is right for every cloud (CSS-Exchange, Shared/Get-ProtocolEndpointViaAutoDv2.ps1).
pub(super) const FIRST_HOST: &str = "outlook.office365.com";
const MICROSOFT: [&str; 5] = ["outlook.com", "office365.com", "office.com", "hotmail.com", "live.com"];
const MOST_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Answer, Cloud, HttpDocument},
        wire,
    };

    const ENDPOINT: &str = r#"{"Protocol":"ActiveSync","Url":"https://HOST/Microsoft-Server-ActiveSync"}"#;

    fn anna() -> Address {
        Address::parse("anna@contoso.com").unwrap()
    }

    fn redirect(host: &str) -> Reply {
        let location =
            format!("https://{host}/autodiscover/autodiscover.json?Email=anna%40contoso.com&Protocol=activesync&RedirectCount=3");
        document(302, &[("location", &location)], "")
    }

    fn document(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Reply::Document(HttpDocument { status, content_type: "application/json".into(), headers, body: body.as_bytes().into() })
    }

    /// Asks until nothing is missing; replies by host.
    fn settle(replies: &[(&str, Reply)]) -> V2Way {
        let mut readings = Readings::default();
        loop {
            let way = settle_v2(&readings, &anna(), V2Protocol::ActiveSync);
            let Some(lookup) = way.missing.first() else { return way };
            let Request::Http { url, .. } = &lookup.request else { panic!() };
            let known = replies.iter().find(|(host, _)| host_of(url) == *host).map(|(_, reply)| reply.clone());
            let reply = known.unwrap_or(Reply::Obstacle(Obstacle::NxDomain));
            let answer = Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
            readings.insert(lookup.request.clone(), wire::read(lookup, answer.into()));
        }
    }

    #[test]
    fn an_endpoint_ends_the_walk_wherever_it_is_named() {
        let first = |host: &str| vec![(FIRST_HOST, redirect(host))];
        let at = |host: &str| document(200, &[], &ENDPOINT.replace("HOST", host));
        for (mut replies, more, host, cloud, sent_to) in [
            (vec![(FIRST_HOST, at("outlook.office365.com"))], None, "outlook.office365.com", Some(Cloud::Worldwide), None),
            (
                first("outlook.office365.us"),
                Some(("outlook.office365.us", at("outlook.office365.us"))),
                "outlook.office365.us",
                Some(Cloud::UsGovernment),
                Some("outlook.office365.us"),
            ),
            (
                first("autodiscover.contoso.com"),
                Some(("autodiscover.contoso.com", at("eas.fabrikam.com"))),
                "eas.fabrikam.com",
                None,
                Some("autodiscover.contoso.com"),
            ),
        ] {
            replies.extend(more);
            let way = settle(&replies);
            let Some(V2End::Endpoint(endpoint)) = way.end else { panic!("{way:?}") };
            assert_eq!((endpoint.host.as_str(), endpoint.cloud, way.sent_to.as_deref()), (host, cloud, sent_to));
            assert!(way.missing.is_empty() && way.chain.len() == replies.len());
            assert!(way.chain.iter().all(|lookup| !lookup.asked.contains("anna")), "{:?}", way.chain);
        }
    }

    #[test]
    fn a_url_that_is_no_stranger_s_or_names_nobody_stays_as_it_is() {
        let subject = Subject { address: anna() };
        for (url, expected) in [
            ("https://evil.example/x?user=anna@contoso.com", "https://evil.example/x?user=postmaster@contoso.com"),
            ("HTTPS:\\\\evil.example\\anna%40contoso.com", "https://evil.example/postmaster%40contoso.com"),
            ("https://EVIL.example:443/x?user=hanna", "https://EVIL.example:443/x?user=hanna"),
            ("https://www.Contoso.com/anna@contoso.com", "https://www.Contoso.com/anna@contoso.com"),
            ("https://outlook.office365.com/anna@contoso.com", "https://outlook.office365.com/anna@contoso.com"),
            ("no url", "no url"),
        ] {
            assert_eq!(discreet(url, &subject), expected, "{url}");
        }
    }

    #[test]
    fn strangers_are_not_asked() {
        for host in ["mail.fabrikam.com", "evil-outlook.com", "outlook.com.evil.example", "contoso.com.evil.example"] {
            let way = settle(&[(FIRST_HOST, redirect(host)), (host, document(200, &[], &ENDPOINT.replace("HOST", host)))]);
            assert_eq!((way.chain.len(), way.sent_to.as_deref()), (1, Some(host)));
            let why = format!("sent on to {host}, which is neither Microsoft's nor the domain's own: not followed here");
            assert_eq!(way.end, Some(V2End::Nothing(AnswerOutcome::Failed, why)));
        }
    }

    #[test]
    fn a_walk_ends_in_a_circle_and_after_five_redirects() {
        let circle = settle(&[(FIRST_HOST, redirect("a.contoso.com")), ("a.contoso.com", redirect("a.contoso.com"))]);
        assert_eq!(circle.end, Some(V2End::Nothing(AnswerOutcome::Invalid, "the redirects go in a circle".into())));
        let hosts = ["a", "b", "c", "d", "e", "f"].map(|name| format!("{name}.contoso.com"));
        let mut replies = vec![(FIRST_HOST, redirect(&hosts[0]))];
        replies.extend(hosts.windows(2).map(|pair| (pair[0].as_str(), redirect(&pair[1]))));
        let way = settle(&replies);
        assert_eq!((way.chain.len(), way.sent_to.as_deref()), (6, Some("f.contoso.com")));
        assert_eq!(way.end, Some(V2End::Nothing(AnswerOutcome::Failed, "more than 5 redirects".into())));
    }

    #[test]
    fn what_is_no_endpoint_says_what_it_is() {
        for (reply, outcome) in [
            (document(404, &[], "<html></html>"), AnswerOutcome::Absent),
            (document(404, &[], r#"{"ErrorCode":"UserNotFound"}"#), AnswerOutcome::Absent),
            (document(400, &[], r#"{"ErrorCode":"ProtocolNotSupported"}"#), AnswerOutcome::Invalid),
        ] {
            let way = settle(&[(FIRST_HOST, reply.clone())]);
            assert!(matches!(&way.end, Some(V2End::Nothing(told, why)) if *told == outcome && !why.is_empty()), "{reply:?}: {way:?}");
        }
    }

    /// A portal, a filter, a DNS of one's own: nobody can tell what Exchange Online would say.
    #[test]
    fn what_stands_in_the_place_of_exchange_online_proves_nothing() {
        for (reply, of_own_host) in [
            (document(200, &[], "<html></html>"), AnswerOutcome::Invalid),
            (document(302, &[("location", "http://outlook.office365.com/")], ""), AnswerOutcome::Invalid),
            (Reply::Obstacle(Obstacle::NxDomain), AnswerOutcome::Absent),
            (Reply::Obstacle(Obstacle::CertificateUntrusted), AnswerOutcome::Invalid),
            (Reply::Obstacle(Obstacle::TooManyRequests), AnswerOutcome::Failed),
            (Reply::Obstacle(Obstacle::CredentialsRequired { schemes: "basic".into(), headers: Vec::new() }), AnswerOutcome::Guarded),
        ] {
            let own = "autodiscover.contoso.com";
            let at = |way: V2Way| if let Some(V2End::Nothing(outcome, _)) = way.end { Some(outcome) } else { None };
            assert_eq!(at(settle(&[(FIRST_HOST, reply.clone())])), Some(AnswerOutcome::Failed), "{reply:?}");
            assert_eq!(at(settle(&[(FIRST_HOST, redirect(own)), (own, reply.clone())])), Some(of_own_host), "{reply:?}");
        }
    }
}
