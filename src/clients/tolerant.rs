//! The parser of small clients: whatever names a server counts, the first one of each protocol wins.

use super::{
    dialect::{authentication, default_port, host_name, port, protocol, security},
    row::Client,
    thunderbird::web_host,
};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, Protocol, Security, Server, Settings};

/// The first server of each protocol that has a host; POP3 where the client has it.
pub(super) fn accept_autoconfig(client: &Client, document: &Autoconfig) -> Settings {
    let mut settings = Settings::default();
    let has = |server: &Server| server.protocol != Protocol::Pop3 || client.protocols.contains(&Protocol::Pop3);
    for server in document.incoming.iter().chain(&document.outgoing).filter_map(server_of).filter(has) {
        let list = if server.protocol == Protocol::Smtp { &mut settings.outgoing } else { &mut settings.incoming };
        if list.iter().all(|known| known.protocol != server.protocol) {
            list.push(server);
        }
    }
    settings
}

fn server_of(written: &AutoconfigServer) -> Option<Server> {
    let protocol = protocol(&written.kind.to_ascii_lowercase())?;
    let by_url = written.url.as_deref().and_then(web_host);
    let host = written.hostname.as_deref().and_then(host_name).or_else(|| by_url.as_ref().map(|web| web.host.clone()))?;
    let security = security(&written.socket_types, true).or_else(|| by_url.map(|web| web.security)).unwrap_or(Security::Plain);
    Some(Server {
        protocol,
        host,
        port: written.port.as_deref().and_then(port).unwrap_or_else(|| default_port(protocol, security)),
        security,
        auth: written.authentications.iter().filter_map(|value| authentication(value)).map(str::to_owned).collect(),
        username: written.username.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| EMAIL_ADDRESS.to_owned()),
        class: None,
    })
}
