//! "What if": records and documents that are assumed, and what requests would come to if they were so. A value that is laid over
//! answers, of the network or of the store, request by request. Knows no network and no files: whoever writes an assumption down
//! hands the documents in. Existence follows RFC 8020 (nothing below a name that does not exist), aliases RFC 1034 section 3.6.2.

mod page;
#[cfg(test)]
mod tests;
mod written;

use url::Url;

use self::page::Page;
use crate::model::{Answer, Obstacle, Reply, Request, is_within, normalise_host};
pub use written::OverlayError;

/// What is assumed.
#[derive(Debug, Clone, Default)]
pub struct Overlay(Vec<Assumption>);

/// One assumption.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assumption {
    /// As it was written, on one line.
    text: String,
    subject: Subject,
    fact: Fact,
}

/// What an assumption is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Record { kind: RecordKind, name: String },
    Page(Url),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordKind {
    Mx,
    Txt,
    Srv,
    Cname,
}

/// What is so.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    /// The records, or that there are none of them.
    Records(Reply),
    /// The name is an alias of this one.
    Alias(String),
    /// The name does not exist, nor what is below it.
    Gone,
    /// What the URL answers.
    Page(Page),
}

impl Overlay {
    /// Adds an assumption that is written as `MX contoso.com = 0 mx.contoso.com`, and alike for TXT, SRV, CNAME and URLs. `read` hands
    /// in the file that a URL is said to answer with.
    ///
    /// # Errors
    /// [`OverlayError`], with the form in which it is to be written.
    pub fn assume(&mut self, text: &str, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<(), OverlayError> {
        let assumption = written::parse(text, read)?;
        if self.0.iter().any(|known| known.subject == assumption.subject) {
            return Err(OverlayError::Twice { text: assumption.text });
        }
        self.0.push(assumption);
        Ok(())
    }

    /// Whether nothing is assumed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The assumptions as they were written, a line each.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|assumption| assumption.text.as_str())
    }

    /// The names that are assumed to be aliases, with what they are aliases of: a matter of whoever resolves names.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(Assumption::alias)
    }

    /// What a request comes to by what is assumed; `None` where nothing is assumed about it.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Option<Answer> {
        // a page outranks that its host does not exist: whoever assumes both means it so
        let is_gone = |assumption: &&Assumption| assumption.fact == Fact::Gone;
        let exact = self.0.iter().filter(|assumption| !is_gone(assumption)).find_map(|assumption| assumption.answer(request));
        exact.or_else(|| self.0.iter().filter(is_gone).find_map(|assumption| assumption.answer(request)))
    }

    /// What an answer becomes where its redirects lead to something that is assumed; `None` where they do not.
    #[must_use]
    pub fn amend(&self, request: &Request, answer: &Answer) -> Option<Answer> {
        answer.hops.iter().enumerate().skip(1).find_map(|(at, hop)| {
            let there = self.answer(&at_url(request, &hop.url)?)?;
            let hops = answer.hops.iter().take(at).cloned().chain(there.hops.iter().cloned()).collect();
            Some(Answer { hops, cnames: answer.cnames.clone(), ..there })
        })
    }

    /// Whether an answer of the world as it is says nothing about the assumed one, as it depends on a name that is assumed to be an
    /// alias.
    #[must_use]
    pub fn moves(&self, request: &Request, answer: &Answer) -> bool {
        self.aliases().any(|(name, _)| depends_on(request, answer, name))
    }

    /// The assumptions that nobody's requests have to do with, as they were written.
    pub fn idle<'a>(&'a self, asked: &'a [(&'a Request, &'a Answer)]) -> impl Iterator<Item = &'a str> {
        let is_idle = |assumption: &&Assumption| !asked.iter().any(|(request, answer)| assumption.concerns(request, answer));
        self.0.iter().filter(is_idle).map(|assumption| assumption.text.as_str())
    }
}

impl Assumption {
    fn alias(&self) -> Option<(&str, &str)> {
        match (&self.subject, &self.fact) {
            (Subject::Record { name, .. }, Fact::Alias(target)) => Some((name, target)),
            _ => None,
        }
    }

    /// Whether a request, or one that a redirect made of it, has to do with it.
    fn concerns(&self, request: &Request, answer: &Answer) -> bool {
        if let Some((name, _)) = self.alias() {
            return depends_on(request, answer, name);
        }
        let mut hops = answer.hops.iter().skip(1).filter_map(|hop| at_url(request, &hop.url));
        self.answer(request).is_some() || hops.any(|request| self.answer(&request).is_some())
    }

    fn answer(&self, request: &Request) -> Option<Answer> {
        let name = || name_of(request);
        let reply = match (&self.subject, &self.fact) {
            (Subject::Page(url), Fact::Page(page)) => {
                return page::is_at(url, request).then(|| page.answer(request));
            }
            (Subject::Record { name: gone, .. }, Fact::Gone) if is_within(&name()?, gone) => Reply::Obstacle(Obstacle::NxDomain),
            (Subject::Record { kind, name: assumed }, Fact::Records(reply)) if kind.is_asked_by(request) && name()? == *assumed => {
                reply.clone()
            }
            _ => return None,
        };
        Some(Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 })
    }
}

impl RecordKind {
    const ALL: [Self; 4] = [Self::Mx, Self::Txt, Self::Srv, Self::Cname];

    fn as_str(self) -> &'static str {
        match self {
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Srv => "SRV",
            Self::Cname => "CNAME",
        }
    }

    /// Whether a request's answer is these records; where an alias is missing, so is whatever the name led to.
    fn is_asked_by(self, request: &Request) -> bool {
        match self {
            Self::Mx => matches!(request, Request::Mx { .. }),
            Self::Txt => matches!(request, Request::Txt { .. }),
            Self::Srv => matches!(request, Request::Srv { .. }),
            Self::Cname => true,
        }
    }
}

/// The name that a request depends on, as DNS compares it; `None` where it depends on none.
fn name_of(request: &Request) -> Option<String> {
    match request {
        Request::Mx { domain } => Some(domain.to_string()),
        Request::Srv { name } | Request::Addresses { name } | Request::Txt { name } | Request::Greeting { host: name, .. } => {
            Some(normalise_host(name))
        }
        Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } | Request::Http { url, .. } => host_of(url),
        Request::BuiltIn { .. } => None,
    }
}

fn host_of(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(normalise_host)
}

/// The same request where a redirect led it; `None` for what follows none.
fn at_url(request: &Request, url: &str) -> Option<Request> {
    let url = url.to_owned();
    match request {
        Request::Get { address, .. } => Some(Request::Get { url, address: address.clone() }),
        Request::Pox { address, .. } => Some(Request::Pox { url, address: address.clone() }),
        _ => None,
    }
}

fn depends_on(request: &Request, answer: &Answer, name: &str) -> bool {
    name_of(request).as_deref() == Some(name)
        || answer.cnames.iter().any(|alias| alias == name)
        || answer.hops.iter().any(|hop| host_of(&hop.url).as_deref() == Some(name))
}
