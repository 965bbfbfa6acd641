//! The rules of redirects (RFC 9110 section 15.4): which are followed, and where to. Pure.

use reqwest::StatusCode;
use url::Url;

use crate::model::{Address, Obstacle, Subject};

/// How a request is sent, and sent again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method<'a> {
    /// GET; the address is the one that the URL names.
    Get(Option<&'a Address>),
    /// POST of an Autodiscover request; a redirect leads it to https only.
    Post(Post<'a>),
}

/// An Autodiscover request, written anew for each host: a stranger that a redirect leads to learns of no mailbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Post<'a> {
    pub(super) address: &'a Address,
    pub(super) body: fn(&Address) -> String,
}

impl Post<'_> {
    pub(super) fn body_for(self, host: &str) -> String {
        body_for(self.address, self.body, host)
    }
}

/// The body of an Autodiscover request as a host may read it.
pub(super) fn body_for(address: &Address, body: fn(&Address) -> String, host: &str) -> String {
    body(&Subject { address: address.clone() }.address_for_autodiscover(host))
}

impl<'a> Method<'a> {
    /// The mailbox that the request names.
    fn address(self) -> Option<&'a Address> {
        match self {
            Self::Get(address) => address,
            Self::Post(post) => Some(post.address),
        }
    }

    /// Whether the status sends the same request elsewhere. A POST answered by 303 would become a GET, which no
    /// Autodiscover server means.
    pub(super) fn follows(self, status: StatusCode) -> bool {
        matches!(status.as_u16(), 301 | 302 | 307 | 308) || (matches!(self, Self::Get(_)) && status == StatusCode::SEE_OTHER)
    }
}

/// The way that a request has gone so far.
#[derive(Debug)]
pub(super) struct Trail {
    visited: Vec<Url>,
}

impl Trail {
    pub(super) fn new(start: Url) -> Self {
        Self { visited: vec![start] }
    }

    /// The URL of the next hop, once `location` passed the rules; a stranger's without the mailbox that it may name.
    pub(super) fn follow(&mut self, location: &str, method: Method<'_>) -> Result<Url, Obstacle> {
        let here = self.visited.last().ok_or(Obstacle::RedirectInvalid)?;
        let mut next = target(here, location)?;
        if let Some(address) = method.address() {
            next = keep_from_strangers(next, address)?;
        }
        if next.scheme() == "http" && (here.scheme() == "https" || matches!(method, Method::Post(_))) {
            return Err(Obstacle::RedirectDowngrade);
        }
        if self.visited.contains(&next) {
            return Err(Obstacle::RedirectCircle);
        }
        if self.visited.len() > MOST_REDIRECTS {
            return Err(Obstacle::TooManyRedirects);
        }
        self.visited.push(next.clone());
        Ok(next)
    }
}

/// The absolute web address that a Location names, without userinfo and fragment.
pub(super) fn target(here: &Url, location: &str) -> Result<Url, Obstacle> {
    let mut url = here.join(location.trim()).map_err(|_| Obstacle::RedirectInvalid)?;
    if !matches!(url.scheme(), "http" | "https") || location.trim().is_empty() {
        return Err(Obstacle::RedirectInvalid);
    }
    strip(&mut url);
    Ok(url)
}

/// The URL without the mailbox that it may name, where its host is a stranger.
fn keep_from_strangers(url: Url, address: &Address) -> Result<Url, Obstacle> {
    let subject = Subject { address: address.clone() };
    match subject.url_for_stranger(url.as_str(), url.host_str().unwrap_or_default()) {
        Some(kept) => Url::parse(&kept).map_err(|_| Obstacle::RedirectInvalid),
        None => Ok(url),
    }
}

/// Takes off what is not sent, or would be sent as credentials.
pub(super) fn strip(url: &mut Url) {
    url.set_fragment(None);
    // Both fail only for URLs without a host, which http and https always have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

const MOST_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_location_is_resolved_and_cleaned() {
        let here = url("https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=a%40contoso.com");
        for (location, expected) in [
            ("/other.xml", Ok("https://autoconfig.contoso.com/other.xml")),
            ("other.xml#part", Ok("https://autoconfig.contoso.com/mail/other.xml")),
            ("//fabrikam.com/x", Ok("https://fabrikam.com/x")),
            ("https://user:secret@fabrikam.com/x", Ok("https://fabrikam.com/x")),
            ("HTTP://2130706433/", Ok("http://127.0.0.1/")),
            ("ftp://fabrikam.com/", Err(Obstacle::RedirectInvalid)),
            ("javascript:alert(1)", Err(Obstacle::RedirectInvalid)),
            ("https://", Err(Obstacle::RedirectInvalid)),
            ("https://a b/", Err(Obstacle::RedirectInvalid)),
            ("", Err(Obstacle::RedirectInvalid)),
        ] {
            assert_eq!(target(&here, location), expected.map(url), "{location}");
        }
    }

    #[test]
    fn strangers_learn_of_no_mailbox() {
        let address = "anna@contoso.com".parse().unwrap();
        let post = Post { address: &address, body: ToString::to_string };
        for (host, told) in [
            ("autodiscover.contoso.com", "anna@contoso.com"),
            ("autodiscover-s.outlook.com", "anna@contoso.com"),
            ("outlook.office365.com", "anna@contoso.com"),
            ("tracker.example", "postmaster@contoso.com"),
            ("evil-outlook.com", "postmaster@contoso.com"),
        ] {
            assert_eq!(post.body_for(host), told, "{host}");
        }
    }

    #[test]
    fn the_url_of_a_stranger_names_no_mailbox() {
        let address = "anna@contoso.com".parse().unwrap();
        for (host, local) in [("tracker.example", "postmaster"), ("www.contoso.com", "anna")] {
            let mut trail = Trail::new(url("https://autoconfig.contoso.com/"));
            let location = |local: &str| format!("https://{host}/{local}@contoso.com?emailaddress={local}%40contoso.com");
            assert_eq!(trail.follow(&location("anna"), Method::Get(Some(&address))), Ok(url(&location(local))), "{host}");
        }
    }

    #[test]
    fn the_sixth_redirect_a_circle_and_a_downgrade_are_refused() {
        let mut trail = Trail::new(url("http://contoso.com/0"));
        for hop in 1..=5 {
            assert!(trail.follow(&format!("https://contoso.com/{hop}"), Method::Get(None)).is_ok(), "{hop}");
        }
        assert_eq!(trail.follow("/3", Method::Get(None)), Err(Obstacle::RedirectCircle));
        assert_eq!(trail.follow("/6", Method::Get(None)), Err(Obstacle::TooManyRedirects));
        assert_eq!(trail.follow("http://contoso.com/", Method::Get(None)), Err(Obstacle::RedirectDowngrade));
        let mut plain = Trail::new(url("http://contoso.com/"));
        let address = "anna@contoso.com".parse().unwrap();
        let post = Post { address: &address, body: ToString::to_string };
        assert_eq!(plain.follow("http://contoso.com/x", Method::Post(post)), Err(Obstacle::RedirectDowngrade));
        assert!(plain.follow("http://contoso.com/x", Method::Get(None)).is_ok());
    }

    #[test]
    fn a_post_does_not_follow_see_other() {
        let address = "anna@contoso.com".parse().unwrap();
        let posted = Post { address: &address, body: ToString::to_string };
        for (status, get, post) in [
            (301, true, true),
            (302, true, true),
            (303, true, false),
            (307, true, true),
            (308, true, true),
            (300, false, false),
            (304, false, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!((Method::Get(None).follows(status), Method::Post(posted).follows(status)), (get, post), "{status}");
        }
    }
}
