//! The JMAP session (RFC 8620 section 2) at `/.well-known/jmap`, as far as discovery needs it. Most servers give it only to who
//! signs in: a 401 there says that JMAP is offered.

use super::{
    Fault,
    http_answer::https_host,
    json::{Object, read_json},
};
use crate::model::JmapSession;

/// Reads a session.
///
/// # Errors
/// The [`Fault`] that leaves no session; so for one without JMAP's own capability or without an `https` URL for requests.
pub fn parse_jmap(body: &[u8], content_type: &str) -> Result<JmapSession, Fault> {
    let root = read_json(body, content_type)?;
    let root = Object(&root);
    let capabilities = root.object("capabilities").ok_or(Fault::NoMember { name: "capabilities" })?.names();
    if !capabilities.iter().any(|name| name == CORE) {
        return Err(Fault::NoMember { name: CORE });
    }
    let api_url = root.text("apiUrl").ok_or(Fault::NoMember { name: "apiUrl" })?;
    let host = https_host(&api_url, "apiUrl")?;
    Ok(JmapSession { api_url, host, capabilities, username: root.text("username") })
}

const CORE: &str = "urn:ietf:params:jmap:core";

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    #[test]
    fn a_session_says_what_it_serves() {
        let session = parse_jmap(fixture!("jmap-session.json"), "application/json").unwrap();
        assert_eq!((session.host.as_str(), session.username.as_deref()), ("jmap.contoso.com", Some("anna@contoso.com")));
        assert_eq!((session.serves_mail(), session.serves_submission(), session.capabilities.len()), (true, false, 2));
    }

    #[test]
    fn what_is_no_session_is_refused_by_name() {
        for (body, fault) in [
            (fixture!("jmap-no-core.json"), Fault::NoMember { name: "urn:ietf:params:jmap:core" }),
            (fixture!("jmap-relative-url.json"), Fault::NotHttps { name: "apiUrl" }),
            (b"{\"capabilities\":{\"urn:ietf:params:jmap:core\":{}}}", Fault::NoMember { name: "apiUrl" }),
            (b"{\"status\":\"ok\"}", Fault::NoMember { name: "capabilities" }),
            (fixture!("page.html"), Fault::Html),
            (fixture!("text.txt"), Fault::NotJson),
        ] {
            assert_eq!(parse_jmap(body, "application/json"), Err(fault.clone()), "{fault}");
        }
    }
}
