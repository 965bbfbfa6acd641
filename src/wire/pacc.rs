//! PACC (draft-ietf-mailmaint-pacc): what a domain publishes for user agents, and the digest that its DNS vouches with.
//!
//! Draft -03 renamed `smtp` to `submit`; both are read. The document has no ports: TLS from the first byte, at the protocols' own.

use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    Fault,
    base64::decode_base64,
    fault::clip,
    http_answer::https_host,
    json::{Object, read_json},
};
use crate::model::{Pacc, PaccDigest, PaccDigests, PaccEndpoint, normalise_host};

/// Reads a document. Whether a client may use it, [`Pacc::check`] says.
///
/// # Errors
/// The [`Fault`] that leaves no document; [`Fault::NoServer`] where no protocol has a place.
pub fn parse_pacc(body: &[u8], content_type: &str) -> Result<Pacc, Fault> {
    let root = read_json(body, content_type)?;
    let root = Object(&root);
    let protocols = root.object("protocols").ok_or(Fault::NoMember { name: "protocols" })?;
    let endpoints: Vec<PaccEndpoint> = protocols.0.iter().filter_map(|(name, value)| endpoint(name, Object(value.as_object()?))).collect();
    if endpoints.is_empty() {
        return Err(Fault::NoServer);
    }
    let (authentication, info) = (root.object("authentication"), root.object("info"));
    let provider = info.and_then(|info| info.object("provider")).and_then(|provider| provider.text("name"));
    let password = authentication.and_then(|authentication| authentication.flag("password"));
    Ok(Pacc {
        complete: provider.is_some() && (authentication.is_none() || password.is_some()) && endpoints.len() == protocols.0.len(),
        endpoints,
        oauth_issuer: authentication
            .and_then(|authentication| authentication.object("oauth-public"))
            .and_then(|oauth| oauth.text("issuer")),
        password,
        digest: Sha256::digest(body).into(),
        provider,
        documentation: info.and_then(|info| info.object("help")).and_then(|help| help.text("documentation")),
    })
}

fn endpoint(name: &str, place: Object<'_>) -> Option<PaccEndpoint> {
    let protocol = clip(&name.trim().to_ascii_lowercase(), 100);
    if let Some(host) = place.text("host") {
        return Some(PaccEndpoint { protocol, host: normalise_host(&host), url: None, port: None });
    }
    let url = place.text("url")?;
    let host = https_host(&url, "url").ok()?;
    let port = Url::parse(&url).ok().and_then(|url| url.port());
    Some(PaccEndpoint { protocol, host, url: Some(url), port })
}

/// Reads the TXT records of `_ua-auto-config`, the strings of each joined; those of other kinds are left out.
#[must_use]
pub fn parse_pacc_digests(records: &[String]) -> PaccDigests {
    PaccDigests(records.iter().filter_map(|record| Record::parse(record)).map(|record| record.digest()).collect())
}

/// The tags of a `v=UAAC1` record; empty where they are missing.
struct Record<'a> {
    algorithm: &'a str,
    digest: &'a str,
}

impl<'a> Record<'a> {
    /// `None` for a record of another kind, such as one that a wildcard answers with.
    fn parse(text: &'a str) -> Option<Self> {
        let tags: Vec<(&str, &str)> =
            text.split(';').filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect();
        let tag = |wanted: &str| tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| *value);
        tag("v").eq_ignore_ascii_case("UAAC1").then(|| Self { algorithm: tag("a"), digest: tag("d") })
    }

    fn digest(&self) -> PaccDigest {
        if self.algorithm.is_empty() {
            return PaccDigest::Malformed;
        }
        if !self.algorithm.eq_ignore_ascii_case("sha256") {
            return PaccDigest::Other(clip(self.algorithm, 100));
        }
        let digest = decode_base64(self.digest).and_then(|octets| octets.try_into().ok());
        digest.map_or(PaccDigest::Malformed, |digest| PaccDigest::Sha256(digest, clip(self.digest, 100)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DigestCheck, Protocol, Security};

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn parse(body: &[u8]) -> Result<Pacc, Fault> {
        parse_pacc(body, "application/json")
    }

    #[test]
    fn both_names_of_submission_come_to_one_server() {
        for body in [fixture!("pacc-good.json"), fixture!("pacc-draft-02.json")] {
            let pacc = parse(body).unwrap();
            let servers: Vec<_> =
                pacc.servers().into_iter().map(|server| (server.protocol, server.host, server.port, server.security)).collect();
            let expected = [
                (Protocol::Imap, "imap.contoso.com".to_owned(), 993, Security::Tls),
                (Protocol::Smtp, "smtp.contoso.com".to_owned(), 465, Security::Tls),
                (Protocol::Jmap, "jmap.contoso.com".to_owned(), 443, Security::Tls),
            ];
            assert_eq!((servers.as_slice(), pacc.complete), (&expected[..], true));
            assert_eq!(pacc.servers()[0].auth, ["oauth2", "password-cleartext"]);
            assert_eq!(
                (pacc.oauth_issuer.as_deref(), pacc.provider.as_deref()),
                (Some("https://login.contoso.com/"), Some("Contoso Mail"))
            );
        }
    }

    #[test]
    fn a_port_is_that_of_the_url() {
        let pacc = parse(br#"{"protocols":{"jmap":{"url":"https://contoso.com:8443/jmap"}}}"#).unwrap();
        assert_eq!(pacc.servers().iter().map(|server| server.port).collect::<Vec<_>>(), [8443]);
    }

    #[test]
    fn what_the_draft_requires_and_is_missing_is_marked() {
        let pacc = parse(fixture!("pacc-incomplete.json")).unwrap();
        let endpoint = PaccEndpoint { protocol: "imap".into(), host: "imap.contoso.com".into(), url: None, port: None };
        assert_eq!((pacc.complete, pacc.endpoints, pacc.password), (false, vec![endpoint], None));
    }

    #[test]
    fn what_is_no_document_is_refused_by_name() {
        for (body, fault) in [
            (fixture!("pacc-no-protocols.json"), Fault::NoMember { name: "protocols" }),
            (fixture!("pacc-no-place.json"), Fault::NoServer),
            (fixture!("page.html"), Fault::Html),
            (fixture!("config-good.xml"), Fault::Xml),
        ] {
            assert_eq!(parse(body), Err(fault.clone()), "{fault}");
        }
    }

    #[test]
    fn only_the_digest_of_these_very_octets_matches() {
        // echo -n '{"protocols":{"imap":{"host":"a.example"}}}' | openssl dgst -sha256 -binary | base64
        let body = br#"{"protocols":{"imap":{"host":"a.example"}}}"#;
        let good = "v=UAAC1; a=sha256; d=M+TeaeIcK3lVU3zqRAsPTQVN784N2cEATd3RtI14YJc=";
        let other = "v=UAAC1; a=sha256; d=MOA19C2fw1LnfpriQEArPk+FRkxoE7UVaunADBmu7G8=";
        let differs = DigestCheck::Differs { published: vec!["MOA19C2fw1LnfpriQEArPk+FRkxoE7UVaunADBmu7G8=".into()] };
        for (body, records, expected) in [
            (&body[..], vec![good], DigestCheck::Matches),
            (body, vec![other, good], DigestCheck::Matches),
            (body, vec!["d = M+TeaeIcK3lVU3zqRAsPTQVN784N2cEATd3RtI14YJc= ;A=SHA256;V=uaac1"], DigestCheck::Matches),
            (&[body.as_slice(), b"\n"].concat(), vec![other], differs.clone()),
            (body, vec![other, "v=UAAC1; a=sha512; d=AA=="], differs),
            (body, vec![], DigestCheck::NoRecord),
            (body, vec!["v=spf1 -all", ""], DigestCheck::NoRecord),
            (body, vec!["v=UAAC1; a=sha512; d=AA=="], DigestCheck::UnknownAlgorithm { name: "sha512".into() }),
            (body, vec!["v=UAAC1; a=sha256"], DigestCheck::Malformed),
            (body, vec!["v=UAAC1; a=sha256; d=not base64!"], DigestCheck::Malformed),
            (body, vec!["v=UAAC1; a=sha256; d=AA=="], DigestCheck::Malformed),
            (body, vec!["v=UAAC1; d=M+TeaeIcK3lVU3zqRAsPTQVN784N2cEATd3RtI14YJc="], DigestCheck::Malformed),
        ] {
            let records: Vec<String> = records.into_iter().map(ToOwned::to_owned).collect();
            assert_eq!(parse(body).unwrap().check(&parse_pacc_digests(&records)), expected, "{records:?}");
        }
    }
}
