//! What a URL is assumed to answer, as each request would take it (`semantics.md`, the table of lookups and answers). Pure.

use std::sync::Arc;

use url::Url;

use crate::model::{Answer, Hop, HttpDocument, Obstacle, Reply, Request};

/// An HTTP answer without redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// 200 to 299, or 400 to 599.
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Arc<[u8]>,
}

/// Whether a request goes to the URL that an assumption names; its query counts only where the assumption has one.
pub(super) fn is_at(assumed: &Url, request: &Request) -> bool {
    let (Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } | Request::Http { url, .. }) = request else {
        return false;
    };
    let Ok(url) = Url::parse(url) else { return false };
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port(), url.path().to_owned());
    place(assumed) == place(&url) && (assumed.query().is_none() || assumed.query_pairs().eq(url.query_pairs()))
}

impl Page {
    /// The answer that a request gets.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let (Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } | Request::Http { url, .. }) = request else {
            return Answer { reply: Reply::Obstacle(Obstacle::NoData), hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 };
        };
        let hops = vec![Hop { url: url.clone(), status: Some(self.status), location: None }];
        Answer { reply: self.reply(request), hops, cnames: Vec::new(), attempts: 1, took_ms: 0 }
    }

    fn reply(&self, request: &Request) -> Reply {
        let status = self.status;
        let obstacle = match status {
            429 => Obstacle::TooManyRequests,
            500..=599 => Obstacle::ServerError { status },
            _ if matches!(request, Request::Redirect { .. }) => Obstacle::NoRedirect,
            // without a challenge a 401 would be none (RFC 9110 section 15.5.2)
            401 => Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers: Vec::new() },
            _ if matches!(request, Request::Http { .. }) => return self.document(),
            200..=299 if self.body.is_empty() => Obstacle::Empty { status, content_type: self.content_type.clone() },
            200..=299 if self.body.len() > BODY_CAP => Obstacle::TooLarge,
            200..=299 => return self.document(),
            404 | 410 => Obstacle::NotThere { status },
            _ => Obstacle::Rejected { status },
        };
        Reply::Obstacle(obstacle)
    }

    fn document(&self) -> Reply {
        let Self { status, content_type, body } = self.clone();
        Reply::Document(HttpDocument { status, content_type, headers: Vec::new(), body })
    }
}

/// As the network has it.
const BODY_CAP: usize = 256 * 1024;
