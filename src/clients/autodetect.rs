//! What new Outlook and Outlook mobile make of AutoDetect (`microsoft.md` section 4): services first, otherwise the servers for mail.
//! It has not been executed: the order is that of the fields of the answer.

use super::{dialect::default_port, mobilesync::web_server, search::Trail};
use crate::model::{
    AUTODETECT_URL, AnswerOutcome, AutoDetect, AutoDetectAnswer, AutoDetectProtocol, AutoDetectService, Document, EMAIL_ADDRESS, Guarded,
    Hosting, Lookup, LookupKind, Message, Protocol, Request, Security, Server, Settings, Subject, Way, Win, exchange_host,
};

pub(super) fn search(trail: &mut Trail<'_>, subject: &Subject) {
    let request = Request::Http { url: AUTODETECT_URL.to_owned(), message: Message::Detect { address: subject.address.clone() } };
    let lookup = Lookup { kind: LookupKind::Autodetect, asked: request.asked(), request };
    let Some(reading) = trail.ask(&lookup) else { return };
    let found = match &reading.document {
        Document::AutoDetect(answer) => match answer.as_ref() {
            AutoDetectAnswer::Found(found) => found,
            _ => return trail.record(&lookup, reading.outcome, &reading.detail),
        },
        // the service is known to be well: what stands in its place is on our way to it, or it has moved, as in 2026
        _ => return trail.record(&lookup, AnswerOutcome::Failed, &reading.detail),
    };
    match by_service(found) {
        Choice::Account(account) => trail.win(win(&lookup, *account)),
        Choice::Ambiguous(why) => trail.record(&lookup, AnswerOutcome::Failed, why),
        Choice::Nothing => match by_protocol(found) {
            Some(account) => trail.win(win(&lookup, account)),
            None => trail.record(&lookup, AnswerOutcome::Invalid, "it names no server that this client can use"),
        },
    }
}

/// What the client would set up.
#[derive(Default)]
struct Account {
    settings: Settings,
    /// The client signs in there, and is told the rest.
    guarded: Option<Guarded>,
    service: Option<String>,
    unverified: bool,
}

enum Choice {
    Account(Box<Account>),
    /// The user decides, or who knows.
    Ambiguous(&'static str),
    Nothing,
}

/// The account that the services mean. Of several that mean the same the first counts.
fn by_service(found: &AutoDetect) -> Choice {
    let usable: Vec<&AutoDetectService> = found.services.iter().filter(|service| service.service.is_some()).collect();
    let Some(first) = usable.first() else { return Choice::Nothing };
    let Some(hosting) = found.hosting() else {
        return Choice::Ambiguous("it lists services that contradict each other, and which one the client takes is the user's choice");
    };
    let service = first.service.clone();
    if let Hosting::ExchangeOnline(cloud) = hosting {
        let host = first.hostname.clone().unwrap_or_else(|| exchange_host(cloud).to_owned());
        let guarded = Some(Guarded { host, protocol: Protocol::Exchange, joined: false });
        return Choice::Account(Box::new(Account { guarded, service, ..Account::default() }));
    }
    let protocol = if first.protocol.as_deref() == Some("eas") { Protocol::ActiveSync } else { Protocol::Exchange };
    if hosting == Hosting::Consumer {
        // the row's host is Exchange Online's too
        let settings = Settings { incoming: vec![server(protocol, CONSUMER, (443, Security::Tls))], outgoing: Vec::new() };
        return Choice::Account(Box::new(Account { settings, service, ..Account::default() }));
    }
    let by_url = first.on_premises_url.as_deref().and_then(|url| web_server(protocol, url));
    let by_host = || {
        let host = first.on_premises_url.as_deref().or(first.hostname.as_deref()).or(well_known(service.as_deref()?))?;
        Some(server(protocol, host, (443, Security::Tls)))
    };
    match by_url.or_else(by_host) {
        Some(server) => {
            let settings = Settings { incoming: vec![server], outgoing: Vec::new() };
            Choice::Account(Box::new(Account { settings, service, ..Account::default() }))
        }
        None => Choice::Nothing,
    }
}

/// The host of a service whose row names none; recalled.
fn well_known(service: &str) -> Option<&'static str> {
    Some(match service {
        "google" => "imap.gmail.com",
        "icloud" => "imap.mail.me.com",
        "yahoo" => "imap.mail.yahoo.com",
        _ => return None,
    })
}

fn by_protocol(found: &AutoDetect) -> Option<Account> {
    let mut account = Account::default();
    for row in &found.protocols {
        let Some(server) = server_of(row) else { continue };
        account.unverified |= row.validated != Some(true);
        let list = if server.protocol == Protocol::Smtp { &mut account.settings.outgoing } else { &mut account.settings.incoming };
        list.push(server);
    }
    (!account.settings.incoming.is_empty()).then_some(account)
}

fn server_of(row: &AutoDetectProtocol) -> Option<Server> {
    let protocol = match row.protocol.as_deref()? {
        "imap" => Protocol::Imap,
        "pop3" | "pop" => Protocol::Pop3,
        "smtp" => Protocol::Smtp,
        "eas" => Protocol::ActiveSync,
        _ => return None,
    };
    let security = match row.encryption.as_deref() {
        Some("ssl") => Security::Tls,
        Some("tls" | "starttls") => Security::StartTls,
        Some("none" | "plain") => Security::Plain,
        _ if row.insecure == Some(true) => Security::Plain,
        _ if row.port.is_some_and(|port| [143, 110, 25, 587].contains(&port)) => Security::StartTls,
        _ => Security::Tls,
    };
    let port = row.port.unwrap_or_else(|| default_port(protocol, security));
    let username = row.username.clone().unwrap_or_else(|| EMAIL_ADDRESS.to_owned());
    Some(Server { username, ..server(protocol, row.hostname.as_deref()?, (port, security)) })
}

fn server(protocol: Protocol, host: &str, (port, security): (u16, Security)) -> Server {
    Server { protocol, host: host.to_owned(), port, security, auth: Vec::new(), username: EMAIL_ADDRESS.to_owned(), class: None }
}

fn win(lookup: &Lookup, account: Account) -> Win {
    Win {
        lookup: lookup.clone(),
        requests: vec![lookup.request.clone()],
        way: Way::AutoDetect { unverified: account.unverified },
        settings: account.settings,
        provider_id: account.service,
        beside: None,
        guarded: account.guarded,
    }
}

/// Where a personal account is.
const CONSUMER: &str = "outlook.live.com";
