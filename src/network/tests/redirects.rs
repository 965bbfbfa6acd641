//! Redirects, by the rules of each kind of request.

use super::{
    stage::{Stage, body, get, obstacle, of, pox},
    web_server::{Act, answer, redirect, say, xml},
};
use crate::model::{Obstacle, Reply, Request};

#[tokio::test]
async fn a_redirect_is_followed_and_every_hop_is_evidence() {
    let stage = Stage::new(|seen| match (seen.is_secure, seen.host(), seen.path()) {
        (false, "autoconfig.contoso.com", "/a") => redirect(302, "https://user:secret@www.fabrikam.com/b#c"),
        (true, "www.fabrikam.com", "/b") => redirect(308, "d?e"),
        (true, "www.fabrikam.com", "/d?e") => xml("<a/>"),
        _ => say(500),
    })
    .await;
    let answer = stage.get("http://autoconfig.contoso.com/a").await;
    assert_eq!(body(&answer), "<a/>");
    let hops: Vec<_> = answer.hops.iter().map(|hop| (hop.url.as_str(), hop.status, hop.location.as_deref())).collect();
    assert_eq!(
        hops,
        [
            ("http://autoconfig.contoso.com/a", Some(302), Some("https://user:secret@www.fabrikam.com/b#c")),
            ("https://www.fabrikam.com/b", Some(308), Some("d?e")),
            ("https://www.fabrikam.com/d?e", Some(200), None),
        ]
    );
    assert!(stage.secure.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn a_stranger_is_not_told_the_mailbox_that_the_own_host_writes_on() {
    let stage = Stage::new(|seen| match seen.host() {
        "autoconfig.contoso.com" => redirect(302, &format!("https://www.contoso.com{}", seen.path())),
        "www.contoso.com" => redirect(302, "https://fabrikam.com/of/Anna%40contoso.com?emailaddress=anna@contoso.com&user=anna"),
        "fabrikam.com" => redirect(302, &format!("https://mail.fabrikam.com{}", seen.path())),
        _ => xml("<a/>"),
    })
    .await;
    let (path, address) = ("/?emailaddress=anna%40contoso.com", "anna@contoso.com".parse().ok());
    let answer = stage.network().ask(&of(Request::Get { url: format!("https://autoconfig.contoso.com{path}"), address })).await;
    assert_eq!(body(&answer), "<a/>");
    let told = "/of/postmaster%40contoso.com?emailaddress=postmaster@contoso.com&user=postmaster";
    let seen: Vec<_> = stage.secure.seen().iter().map(|seen| (seen.host().to_owned(), seen.path().to_owned())).collect();
    let expected = [("autoconfig.contoso.com", path), ("www.contoso.com", path), ("fabrikam.com", told), ("mail.fabrikam.com", told)];
    assert_eq!(seen, expected.map(|(host, path)| (host.to_owned(), path.to_owned())));
    let hops: Vec<_> = answer.hops.iter().map(|hop| (hop.url.as_str(), hop.location.as_deref())).collect();
    let written = "https://fabrikam.com/of/Anna%40contoso.com?emailaddress=anna@contoso.com&user=anna";
    assert_eq!(hops[1], (format!("https://www.contoso.com{path}").as_str(), Some(written)), "as the server wrote it");
    assert_eq!(hops[2].0, format!("https://fabrikam.com{told}"), "as it was asked");
}

#[tokio::test]
async fn redirects_that_lead_nowhere_have_their_obstacle() {
    let stage = Stage::new(|seen| match seen.path() {
        "/circle" => redirect(302, "/circle2"),
        "/circle2" => redirect(302, "/circle"),
        "/down" => redirect(301, "http://contoso.com/x"),
        "/ftp" => redirect(301, "ftp://contoso.com/x"),
        "/literal" => redirect(302, "https://10.0.0.1/"),
        "/decimal" => redirect(302, "https://2852039166/latest/meta-data/"),
        "/mapped" => redirect(302, "https://[::ffff:10.0.0.1]/"),
        "/305" => redirect(305, "https://fabrikam.com/"),
        path => redirect(302, &format!("/{}", path.trim_start_matches('/').parse::<u32>().unwrap() + 1)),
    })
    .await;
    let forbidden = |address: &str| Obstacle::RedirectForbidden { address: address.to_owned() };
    for (path, expected, hops) in [
        ("circle", Obstacle::RedirectCircle, 2),
        ("down", Obstacle::RedirectDowngrade, 1),
        ("ftp", Obstacle::RedirectInvalid, 1),
        ("literal", forbidden("10.0.0.1"), 1),
        ("decimal", forbidden("169.254.169.254"), 1),
        ("mapped", forbidden("::ffff:10.0.0.1"), 1),
        ("305", Obstacle::Rejected { status: 305 }, 1),
        ("0", Obstacle::TooManyRedirects, 6),
    ] {
        let answer = stage.get(&format!("https://contoso.com/{path}")).await;
        assert_eq!((obstacle(&answer), answer.hops.len(), answer.attempts), (&expected, hops, 1), "{path}");
    }
}

#[tokio::test]
async fn five_redirects_are_followed() {
    let stage = Stage::new(|seen| match seen.path() {
        "/5" => xml("<a/>"),
        path => redirect(303, &format!("/{}", path.trim_start_matches('/').parse::<u32>().unwrap() + 1)),
    })
    .await;
    let answer = stage.get("https://contoso.com/0").await;
    assert_eq!((body(&answer), answer.hops.len()), ("<a/>", 6));
}

#[tokio::test]
async fn a_long_location_is_cut_in_the_evidence_alone() {
    let long = format!("/{}", "ü".repeat(1500));
    let location = long.clone();
    let stage = Stage::new(move |seen| if seen.path() == "/" { redirect(302, &location) } else { xml("<a/>") }).await;
    let answer = stage.get("https://contoso.com/").await;
    assert_eq!(body(&answer), "<a/>");
    let kept = answer.hops[0].location.as_deref().unwrap();
    assert_eq!((kept.len(), long.starts_with(kept)), (2047, true));
}

#[tokio::test]
async fn an_autodiscover_request_is_posted_again_to_https_only() {
    let stage = Stage::new(|seen| match seen.path() {
        "/301" | "/302" | "/307" | "/308" => redirect(seen.path()[1..].parse().unwrap(), "https://autodiscover.fabrikam.com/found"),
        "/303" => redirect(303, "https://autodiscover.fabrikam.com/found"),
        "/http" => redirect(302, "http://autodiscover.fabrikam.com/found"),
        "/found" => xml("<a/>"),
        _ => say(500),
    })
    .await;
    let network = stage.network();
    for status in ["301", "302", "307", "308"] {
        let answer = network.ask(&pox(&format!("https://autodiscover.contoso.com/{status}"))).await;
        assert_eq!((body(&answer), answer.hops.len()), ("<a/>", 2), "{status}");
        let seen = stage.secure.seen().pop().unwrap();
        assert!(
            seen.text.starts_with("POST /found ") && seen.text.ends_with("<Autodiscover>postmaster@contoso.com</Autodiscover>"),
            "a stranger learns of no mailbox"
        );
        assert_eq!((seen.host(), seen.header("content-type")), ("autodiscover.fabrikam.com", Some("text/xml; charset=utf-8")));
    }
    for (path, expected) in [("303", Obstacle::Rejected { status: 303 }), ("http", Obstacle::RedirectDowngrade)] {
        let answer = network.ask(&pox(&format!("https://autodiscover.contoso.com/{path}"))).await;
        assert_eq!(obstacle(&answer), &expected, "{path}");
    }
}

#[tokio::test]
async fn the_plain_http_way_tells_only_where_it_leads() {
    let stage = Stage::new(|seen| match seen.path() {
        "/http" => redirect(302, "http://fabrikam.com/"),
        "/relative" => redirect(302, "/autodiscover.xml"),
        "/304" => redirect(304, "https://fabrikam.com/"),
        "/none" => say(302),
        "/200" => xml("<a/>"),
        "/401" => Act::Say(answer(401, &[("WWW-Authenticate", "Basic")], b"")),
        "/reset" => Act::Cut(Vec::new()),
        path => redirect(path.trim_start_matches('/').parse().unwrap(), "https://user@Fabrikam.com/a#b"),
    })
    .await;
    let network = stage.network();
    let ask = async |path: &str| network.ask(&of(Request::Redirect { url: format!("http://autodiscover.contoso.com/{path}") })).await;
    for status in ["301", "302", "303", "307", "308"] {
        assert_eq!(ask(status).await.reply, Reply::Redirect("https://fabrikam.com/a".into()), "{status}");
    }
    for path in ["http", "relative", "304", "none", "200", "401", "404"] {
        assert_eq!(obstacle(&ask(path).await), &Obstacle::NoRedirect, "{path}");
    }
    for (path, expected) in
        [("429", Obstacle::TooManyRequests), ("502", Obstacle::ServerError { status: 502 }), ("reset", Obstacle::ConnectionCut)]
    {
        assert_eq!(obstacle(&ask(path).await), &expected, "{path}");
    }
    assert!(stage.secure.seen().is_empty());
}

#[tokio::test]
async fn different_requests_for_one_url_are_kept_apart() {
    let stage = Stage::new(|_| redirect(302, "https://fabrikam.com/")).await;
    let network = stage.network();
    let url = "http://autodiscover.contoso.com/";
    assert!(matches!(network.ask(&of(Request::Redirect { url: url.into() })).await.reply, Reply::Redirect(_)));
    assert_eq!(obstacle(&network.ask(&get(url)).await), &Obstacle::RedirectCircle);
}
