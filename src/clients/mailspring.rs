//! Mailspring's parser: `onboarding-helpers.ts` (Foundry376/Mailspring d93a0d7f4, 2026-08-21), `TryThunderbirdAutoconfig`, on xml2js.

use super::dialect::{Refusal, password_server};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security, Server, Settings};

/// The first server for IMAP and the first for SMTP. A document that can be read is an answer, and no other one is asked for.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and xml2js is strict");
    }
    let Some(imap) = first(&document.incoming, ("imap", Protocol::Imap))? else {
        return Err(Refusal::Taken("it names no server for IMAP, and Mailspring asks for no other document".to_owned()));
    };
    if document.outgoing.is_empty() {
        return Err(Refusal::Taken("it names no outgoing server, and Mailspring asks for no other document".to_owned()));
    }
    let smtp = first(&document.outgoing, ("smtp", Protocol::Smtp))?;
    Ok(Settings { incoming: vec![imap], outgoing: smtp.into_iter().collect() })
}

/// The first server of a kind. Without a host it is as good as none; a host stands as it is written, with its placeholders.
fn first(servers: &[AutoconfigServer], (kind, protocol): (&str, Protocol)) -> Result<Option<Server>, Refusal> {
    let of_kind = servers.iter().find(|server| server.kind == kind);
    let Some(written) = of_kind.filter(|server| server.hostname.is_some()) else { return Ok(None) };
    let nobodys = || Refusal::Configured("it names a host with a placeholder, which Mailspring uses as it is written".to_owned());
    server_of(written, protocol).map(Some).ok_or_else(nobodys)
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
