//! What a web host does when it is asked: well or badly, in every way that a host can.

use std::sync::Arc;

use super::microsoft::Service;

/// A web host: what it does by scheme and path, and which certificate it shows.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub https: Routes,
    pub http: Routes,
    pub tls: Tls,
}

/// What a host does by path; the query is not looked at.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub paths: Vec<(String, Act)>,
    /// For every other path; `None`: 404.
    pub otherwise: Option<Act>,
}

impl Routes {
    /// What is done for a path.
    pub fn find(&self, path: &str) -> Act {
        let found = self.paths.iter().find(|(known, _)| known == path).map(|(_, act)| act);
        found.or(self.otherwise.as_ref()).cloned().unwrap_or_else(|| Act::status(404))
    }
}

impl Site {
    /// A host that answers 404 on both ports.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A host that does the same for every path of both schemes.
    pub fn always(act: Act) -> Self {
        Self::empty().any_https(act.clone()).any_http(act)
    }

    pub fn https(mut self, path: &str, act: Act) -> Self {
        self.https.paths.push((path.to_owned(), act));
        self
    }

    pub fn http(mut self, path: &str, act: Act) -> Self {
        self.http.paths.push((path.to_owned(), act));
        self
    }

    pub fn any_https(mut self, act: Act) -> Self {
        self.https.otherwise = Some(act);
        self
    }

    pub fn any_http(mut self, act: Act) -> Self {
        self.http.otherwise = Some(act);
        self
    }

    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }
}

/// What happens before HTTP on the TLS port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// A good certificate for the name that was asked for.
    #[default]
    Good,
    /// A certificate for these names, whatever was asked for.
    Names(Vec<String>),
    SelfSigned,
    Expired,
    /// Good but for its purpose: client authentication only.
    OtherPurpose,
    /// Answers in plain HTTP.
    PlainHttp,
    /// Refuses every version that is not older than TLS 1.2.
    OldVersion,
    /// Accepts and never says a word.
    Silent,
    /// Cuts the connection.
    Reset,
}

/// What is done for one request.
#[derive(Debug, Clone)]
pub enum Act {
    Answer(Answer),
    /// By the address that is asked about.
    ByAddress {
        known: Vec<(String, Act)>,
        otherwise: Box<Act>,
    },
    /// The ISP database: the entry whose key follows this in the path.
    Database(&'static str),
    /// One of Microsoft's services.
    Microsoft(Service),
    /// By the schema that an Autodiscover request wants its answer in.
    BySchema {
        mobilesync: Box<Act>,
        otherwise: Box<Act>,
    },
    /// An answer whose body holds the address asked about in place of `{address}`.
    Filled(Answer),
    /// So many requests one way (counted by URL), then the other.
    Flaky {
        times: usize,
        first: Box<Act>,
        then: Box<Act>,
    },
    /// So many 302 to itself with a counter in the query, then the act.
    Chain {
        hops: usize,
        then: Box<Act>,
    },
    /// 302 to itself.
    Circle,
    /// 429 or 503 with `Retry-After` in seconds.
    Busy {
        status: u16,
        seconds: u64,
    },
    /// 429 or 503 with `Retry-After` as an HTTP date, so many seconds from now.
    BusyUntil {
        status: u16,
        seconds: i64,
    },
    /// The answer, compressed with gzip whatever was accepted.
    Gzip(Answer),
    /// Accepts and never answers.
    Silent,
    /// The answer, a byte every 200 ms.
    Trickle(Answer),
    /// RST before a byte.
    Reset,
    /// Half of the body, then the connection is closed.
    Truncated(Answer),
    /// So many bytes of white space in an XML document.
    Large(usize),
    /// So many bytes of white space, compressed.
    GzipBomb(usize),
    /// Says gzip, and is not.
    BrokenGzip,
    /// Bytes of another protocol.
    NotHttp,
}

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Arc<str>,
}

impl Answer {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: "".into() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn typed(content_type: &str, body: impl Into<Arc<str>>) -> Self {
        Self { body: body.into(), ..Self::new(200).header("Content-Type", content_type) }
    }

    pub fn xml(body: impl Into<Arc<str>>) -> Self {
        Self::typed("text/xml; charset=utf-8", body)
    }

    pub fn json(status: u16, body: impl Into<Arc<str>>) -> Self {
        Self { status, ..Self::typed("application/json; charset=utf-8", body) }
    }

    pub fn html(status: u16) -> Self {
        Self { status, ..Self::typed("text/html; charset=utf-8", "<!DOCTYPE html><html><body><p>Welcome<br></body></html>") }
    }
}

impl Act {
    /// 200 with an XML document.
    pub fn xml(body: impl Into<Arc<str>>) -> Self {
        Self::Answer(Answer::xml(body))
    }

    /// 200 with a JSON document.
    pub fn json(body: impl Into<Arc<str>>) -> Self {
        Self::Answer(Answer::json(200, body))
    }

    /// 200 with a web page.
    pub fn html() -> Self {
        Self::Answer(Answer::html(200))
    }

    /// A status with a page of a line.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer { status, ..Answer::typed("text/plain", "no\n") })
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }

    /// 401 with these schemes in `WWW-Authenticate`, a header each.
    pub fn guarded(schemes: &[&str]) -> Self {
        let answer = schemes.iter().fold(Answer::new(401), |answer, scheme| answer.header("WWW-Authenticate", *scheme));
        Self::Answer(answer)
    }

    /// A redirect; the target is sent as written.
    pub fn redirect(status: u16, target: impl Into<String>) -> Self {
        Self::Answer(Answer::new(status).header("Location", target))
    }

    /// The act for one address, and another for all others.
    pub fn by_address(known: &[(&str, Act)], otherwise: Act) -> Self {
        Self::ByAddress {
            known: known.iter().map(|(address, act)| ((*address).to_owned(), act.clone())).collect(),
            otherwise: Box::new(otherwise),
        }
    }

    /// So many times 503, then the act.
    pub fn flaky(times: usize, then: Act) -> Self {
        Self::Flaky { times, first: Box::new(Self::status(503)), then: Box::new(then) }
    }
}
