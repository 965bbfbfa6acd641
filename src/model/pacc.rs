//! What a domain publishes for user agents: PACC (draft-ietf-mailmaint-pacc) and the JMAP session (RFC 8620 section 2).

use super::server::{Protocol, Security, Server};

/// A PACC document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pacc {
    /// Whether all members that the draft requires are there.
    pub complete: bool,
    /// `protocols`, in order, those without a place left out.
    pub endpoints: Vec<PaccEndpoint>,
    /// `authentication/oauth-public/issuer`.
    pub oauth_issuer: Option<String>,
    /// `authentication/password`: whether passwords are taken.
    pub password: Option<bool>,
    /// `info/provider/name`.
    pub provider: Option<String>,
    /// `info/help/documentation`.
    pub documentation: Option<String>,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
}

/// What PACC's TXT records publish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaccDigests(pub Vec<PaccDigest>);

/// One TXT record of PACC's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaccDigest {
    /// A SHA-256, with the text that it was written as, at most 100 characters.
    Sha256([u8; 32], String),
    /// Another algorithm, as written, at most 100 characters.
    Other(String),
    /// No digest, or one that is no SHA-256 in base64.
    Malformed,
}

/// A member of `protocols`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaccEndpoint {
    /// Lower case: `imap`, `pop3`, `smtp` (to draft -02) or `submit` (since -03), `jmap`, `managesieve`, `caldav`, `carddav`, …
    pub protocol: String,
    /// `host` of a text protocol, lower case; or the host of `url`.
    pub host: String,
    /// `url` of an HTTP protocol.
    pub url: Option<String>,
    /// The port that `url` names, where it is not 443.
    pub port: Option<u16>,
}

impl Pacc {
    /// Whether the records vouch for this document: one of them has its digest.
    #[must_use]
    pub fn check(&self, records: &PaccDigests) -> DigestCheck {
        let sha_256 = |record: &PaccDigest| match record {
            PaccDigest::Sha256(digest, text) => Some((*digest, text.clone())),
            PaccDigest::Other(_) | PaccDigest::Malformed => None,
        };
        let published: Vec<([u8; 32], String)> = records.0.iter().filter_map(sha_256).collect();
        if published.iter().any(|(digest, _)| *digest == self.digest) {
            return DigestCheck::Matches;
        }
        if !published.is_empty() {
            return DigestCheck::Differs { published: published.into_iter().map(|(_, text)| text).collect() };
        }
        match records.0.first() {
            None => DigestCheck::NoRecord,
            Some(PaccDigest::Other(name)) if !records.0.contains(&PaccDigest::Malformed) => {
                DigestCheck::UnknownAlgorithm { name: name.clone() }
            }
            Some(_) => DigestCheck::Malformed,
        }
    }

    /// The mail servers that a client would configure. The draft has no ports: TLS from the first byte on the protocol's own
    /// (RFC 8314), the address as user name.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        let auth = || {
            let oauth = self.oauth_issuer.is_some().then(|| "oauth2".to_owned());
            oauth.into_iter().chain((self.password == Some(true)).then(|| "password-cleartext".to_owned())).collect()
        };
        let server = |endpoint: &PaccEndpoint| {
            let (protocol, port) = match endpoint.protocol.as_str() {
                "imap" => (Protocol::Imap, 993),
                "pop3" => (Protocol::Pop3, 995),
                "smtp" | "submit" => (Protocol::Smtp, 465),
                "jmap" => (Protocol::Jmap, endpoint.port.unwrap_or(443)),
                _ => return None,
            };
            let username = super::EMAIL_ADDRESS.to_owned();
            Some(Server { protocol, host: endpoint.host.clone(), port, security: Security::Tls, auth: auth(), username, class: None })
        };
        self.endpoints.iter().filter_map(server).collect()
    }
}

/// Whether the published digest is that of the document. Only [`DigestCheck::Matches`] lets a client use it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestCheck {
    /// One of the records has the document's digest.
    #[error("a TXT record has the document's digest")]
    Matches,
    /// No TXT record of PACC's at all.
    #[error("no TXT record has the document's digest: there is none of PACC's")]
    NoRecord,
    /// Records, and none has the document's digest.
    #[error("the TXT record has the digest of another document ({})", published.join(", "))]
    Differs {
        /// What they publish, as written, at most 100 characters each.
        published: Vec<String>,
    },
    /// Only records with an algorithm other than SHA-256.
    #[error("the TXT record has a digest by `{name}`, which clients do not know")]
    UnknownAlgorithm {
        /// As written, at most 100 characters.
        name: String,
    },
    /// Only records of no use, such as those without a digest, or with one that is no SHA-256 in base64.
    #[error("the TXT record has no digest that can be read")]
    Malformed,
}

/// A JMAP session, as far as discovery needs it. Exchange Online has no JMAP: where one is found, another system answers for the domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JmapSession {
    /// `apiUrl`; `https`.
    pub api_url: String,
    /// Its host, lower case.
    pub host: String,
    /// The names of `capabilities`, in order.
    pub capabilities: Vec<String>,
    /// `username`; empty without sign-in.
    pub username: Option<String>,
}

impl JmapSession {
    /// Whether mail is served (RFC 8621 section 1.3.1).
    #[must_use]
    pub fn serves_mail(&self) -> bool {
        self.has("urn:ietf:params:jmap:mail")
    }

    /// Whether mail can be sent (RFC 8621 section 1.3.2).
    #[must_use]
    pub fn serves_submission(&self) -> bool {
        self.has("urn:ietf:params:jmap:submission")
    }

    fn has(&self, name: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_with_the_digest_itself_vouches_for_a_document() {
        let pacc = Pacc { digest: [1; 32], ..Pacc::default() };
        let sha_256 = |byte: u8| PaccDigest::Sha256([byte; 32], format!("digest {byte}"));
        let (sha_512, md5) = (PaccDigest::Other("sha512".into()), PaccDigest::Other("md5".into()));
        let differs = |bytes: &[u8]| DigestCheck::Differs { published: bytes.iter().map(|byte| format!("digest {byte}")).collect() };
        for (records, expected) in [
            (vec![], DigestCheck::NoRecord),
            (vec![sha_256(1)], DigestCheck::Matches),
            (vec![sha_256(2), PaccDigest::Malformed, sha_512.clone(), sha_256(1)], DigestCheck::Matches),
            (vec![sha_256(2)], differs(&[2])),
            (vec![sha_512.clone(), sha_256(2), PaccDigest::Malformed, sha_256(3)], differs(&[2, 3])),
            (vec![sha_512.clone(), md5], DigestCheck::UnknownAlgorithm { name: "sha512".into() }),
            (vec![sha_512, PaccDigest::Malformed], DigestCheck::Malformed),
            (vec![PaccDigest::Malformed], DigestCheck::Malformed),
        ] {
            assert_eq!(pacc.check(&PaccDigests(records.clone())), expected, "{records:?}");
        }
    }
}
