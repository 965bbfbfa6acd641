//! Mailspring's parser: `onboarding-helpers.ts` (Foundry376/Mailspring d93a0d7f4, 2026-08-21), `TryThunderbirdAutoconfig`, on xml2js.

use super::dialect::{Refusal, password_server};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security, Server, Settings};

/// The first server for IMAP and the first for SMTP. A document that can be read is an answer, and no other one is asked for. Where it has
/// servers, but not these two, Mailspring makes a host up for the one that is missing, and leaves its port empty.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and xml2js is strict");
    }
    if document.incoming.is_empty() || document.outgoing.is_empty() {
        return Err(Refusal::Taken("it lacks an incoming or an outgoing server, and Mailspring asks for no other document".to_owned()));
    }
    let first = |servers: &[AutoconfigServer], kind: &str, protocol| {
        let server = servers.iter().find(|server| server.kind == kind)?;
        server_of(server, protocol)
    };
    match (first(&document.incoming, "imap", Protocol::Imap), first(&document.outgoing, "smtp", Protocol::Smtp)) {
        (Some(imap), Some(smtp)) => Ok(Settings { incoming: vec![imap], outgoing: vec![smtp] }),
        _ => Err(Refusal::Configured("its servers are not for IMAP and SMTP, each at a host, and Mailspring looks no further".to_owned())),
    }
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let security = match written.socket_types.as_slice() {
        [one] if one == "SSL" => Security::Tls,
        [one] if one == "plain" => Security::Plain,
        _ => Security::StartTls,
    };
    let username = if written.username.as_deref() == Some(EMAIL_LOCAL_PART) { EMAIL_LOCAL_PART } else { EMAIL_ADDRESS };
    password_server(written, (protocol, security), username)
}
