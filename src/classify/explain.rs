//! One sentence for a person, or two. Speaks of hosts and domains, never of a mailbox, so that it serves all mailboxes of a domain.

use super::judge::{Judgement, Residence};
use crate::model::{
    Cause, Class, Discovery, Hosting, LookupKind, Message, Obstacle, Reply, Request, Server, Trouble, Verdict, Way, Win, expand,
};

/// What the sentence on a winner is made of.
pub(super) struct Story<'a> {
    pub(super) residence: &'a Residence<'a>,
    pub(super) win: &'a Win,
    pub(super) verdict: Verdict,
    /// The servers that the verdict is about: those that have it; all of them where it is `ok`.
    pub(super) servers: Vec<&'a Server>,
}

/// The sentence on what won.
pub(super) fn win(story: &Story<'_>) -> String {
    let protocols = story.residence.protocols;
    let is_on = |server: &&Server| protocols.is_enabled(server.protocol);
    let on: Vec<&Server> = story.servers.iter().copied().filter(is_on).collect();
    if on.is_empty() && !story.servers.is_empty() {
        let sentence = sentence(story, &story.servers);
        return format!("{sentence} None of that is switched on for the mailbox.");
    }
    sentence(story, &on)
}

fn sentence(story: &Story<'_>, servers: &[&Server]) -> String {
    let hosts = name_servers(story.residence, servers);
    let says = says(story.win);
    match story.verdict {
        Verdict::Consumer if servers.iter().all(|server| server.class != Some(Class::Consumer)) => {
            format!("{} is the consumer service's own, though its servers look right today: {hosts}.", source(story.win))
        }
        Verdict::Consumer => {
            let consumer: Vec<&Server> = servers.iter().copied().filter(|server| server.class == Some(Class::Consumer)).collect();
            format!("{says} {}, of the consumer service.", name_servers(story.residence, &consumer))
        }
        Verdict::Foreign => format!("{says} {hosts}, which does not belong to {}.", home_of(story.residence.hosting)),
        Verdict::WrongCloud => format!("{says} {hosts}, of another Microsoft cloud than the mailbox's."),
        Verdict::Retired => format!("{says} {hosts}, which Microsoft has switched off."),
        Verdict::Insecure => format!("{says} {hosts} without encryption: the password would go in clear."),
        Verdict::NotFound if story.residence.protocols.smtp => format!("{says} {hosts} and no outgoing server."),
        Verdict::NotFound => format!("{says} {hosts} and no outgoing server; sending is switched off for the mailbox."),
        Verdict::Ok | Verdict::Undetermined => format!("{says} {hosts}, where the mailbox lives."),
    }
}

fn home_of(hosting: Hosting) -> &'static str {
    match hosting {
        Hosting::ExchangeOnline(_) => "Exchange Online",
        Hosting::OnPremises => "the organisation's own servers",
        Hosting::Consumer => "the consumer service, where the mailbox lives",
        Hosting::Other => "the mailbox's provider",
    }
}

/// `host (IMAP, POP3) and host (SMTP)`; hosts as the mailbox's domain has them.
fn name_servers(residence: &Residence<'_>, servers: &[&Server]) -> String {
    let mut named: Vec<(String, Vec<&'static str>)> = Vec::new();
    for server in servers {
        let host = if server.host.contains("%EMAILLOCALPART%") || server.host.contains("%EMAILADDRESS%") {
            server.host.clone()
        } else {
            expand(&server.host, residence.address)
        };
        let title = server.protocol.title();
        match named.iter_mut().find(|(known, _)| *known == host) {
            Some((_, titles)) if titles.contains(&title) => {}
            Some((_, titles)) => titles.push(title),
            None => named.push((host, vec![title])),
        }
    }
    let parts: Vec<String> = named.into_iter().map(|(host, titles)| format!("{host} ({})", titles.join(", "))).collect();
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Who speaks, as the start of a sentence.
fn source(win: &Win) -> String {
    match &win.way {
        Way::Own { well_known: false } => "The domain's own autoconfig document".to_owned(),
        Way::Own { well_known: true } => "The domain's own /.well-known/autoconfig document".to_owned(),
        Way::Database => "The ISP database's entry for the domain".to_owned(),
        Way::Mx { host, key, database: true, .. } if host == key => format!("The MX {host} itself has an entry in the ISP database, which"),
        Way::Mx { host, key, database: false, .. } if host == key => {
            format!("The MX {host} is asked itself, and its own autoconfig document")
        }
        Way::Mx { host, key, database: true, .. } => format!("The MX {host} is reduced to {key}, whose entry in the ISP database"),
        Way::Mx { host, key, database: false, .. } => format!("The MX {host} is reduced to {key}, whose own autoconfig document"),
        Way::Srv => "An SRV record of the domain".to_owned(),
        Way::BuiltIn { row, mx: None } => format!("The client's own table (`{row}`), which matches the domain,"),
        Way::BuiltIn { row, mx: Some(mx) } => format!("The client's own table (`{row}`), which matches the MX {mx},"),
        Way::ProviderId => "The id of a document, for which the client has servers built in,".to_owned(),
        Way::Guess => "What the client guesses from the domain".to_owned(),
        Way::AutoDetect { unverified: true } => "A row of AutoDetect's database, never tried with this mailbox,".to_owned(),
        Way::AutoDetect { unverified: false } => match &win.provider_id {
            Some(service) => format!("Microsoft's AutoDetect (service `{service}`)"),
            None => "Microsoft's AutoDetect".to_owned(),
        },
        Way::Pacc => "The domain's PACC document".to_owned(),
        Way::Jmap => "The domain's JMAP service".to_owned(),
        Way::Autodiscover { redirected: true, .. } if win.lookup.kind == LookupKind::AutodiscoverV2 => {
            "Autodiscover v2, after a redirect to another host,".to_owned()
        }
        Way::Autodiscover { .. } if win.lookup.kind == LookupKind::AutodiscoverV2 => "Autodiscover v2".to_owned(),
        Way::Autodiscover { .. } if is_direct(win) => "Autodiscover at the place that Autodiscover v2 names for the mailbox".to_owned(),
        Way::Autodiscover { redirected: true, .. } => "Autodiscover, after a redirect inside its answer,".to_owned(),
        Way::Autodiscover { by_srv: true, .. } => "Autodiscover, by an SRV record,".to_owned(),
        Way::Autodiscover { .. } => "Autodiscover".to_owned(),
    }
}

/// Who speaks, and the verb: what is said without sign-in, and what that stands for with it.
fn says(win: &Win) -> String {
    let Some(guarded) = &win.guarded else { return format!("{} names", source(win)) };
    let place = match &win.way {
        Way::AutoDetect { .. } => return format!("{} stands for", source(win)),
        Way::Jmap => format!("JMAP at {}", guarded.host),
        Way::Autodiscover { .. } if is_direct(win) => {
            format!("Autodiscover at {}, which Autodiscover v2 names for the mailbox,", guarded.host)
        }
        Way::Autodiscover { redirected: true, .. } => format!("Autodiscover at {}, where a redirect leads,", guarded.host),
        Way::Autodiscover { by_srv: true, .. } => format!("Autodiscover at {}, where an SRV record leads,", guarded.host),
        _ => format!("Autodiscover at {}", guarded.host),
    };
    let joined = if guarded.joined { " and is joined to Microsoft's cloud" } else { "" };
    format!("Without sign-in, {place} says only that it asks for credentials{joined}; with sign-in it stands for")
}

/// Whether Autodiscover v2 led to the winner: what Outlook calls direct connect.
fn is_direct(win: &Win) -> bool {
    let of_v2 = |request: &Request| matches!(request, Request::Http { message: Message::Get { .. }, .. });
    win.lookup.kind == LookupKind::AutodiscoverPox && win.requests.iter().any(of_v2)
}

/// The sentence on a client that finds nothing.
pub(super) fn nothing(cause: Cause, residence: &Residence<'_>, discovery: &Discovery) -> String {
    let (domain, left) = (residence.address.domain(), discovery.left_to_user());
    match (cause, discovery.faults.first()) {
        (Cause::NoSuchDomain, _) => format!("DNS does not know the domain {domain} (NXDOMAIN): no client can find anything for it."),
        (Cause::OnMicrosoftDomain, _) => {
            format!("Nothing answers for {domain}, and under onmicrosoft.com nobody can publish anything: {left}.")
        }
        (_, Some(fault)) => {
            format!("Nothing usable answers for {domain}: {} ({}); {left}.", fault.lookup.asked, fault.why)
        }
        _ if is_declined(residence, discovery) => {
            format!("The SRV records of {domain} say that mail services are explicitly not offered: {left}.")
        }
        _ => format!("Nothing is published for {domain} where this client looks: {left}."),
    }
}

/// Whether SRV records say `.`: decidedly not available (RFC 6186 section 3.4).
fn is_declined(residence: &Residence<'_>, discovery: &Discovery) -> bool {
    let services = discovery.lookups.iter().filter(|lookup| lookup.kind == LookupKind::Srv);
    services
        .filter_map(|lookup| residence.readings.get(&lookup.request))
        .any(|reading| reading.answer.reply == Reply::Obstacle(Obstacle::NotOffered))
}

/// The sentence on a discovery in doubt.
pub(super) fn doubtful(doubt: &Trouble, discovery: &Discovery, judgement: &Judgement) -> String {
    let more = match discovery.doubts.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let otherwise = match judgement.verdict {
        Verdict::NotFound => "as it stands, the client finds nothing".to_owned(),
        verdict => format!("as it stands, the verdict would be {verdict}"),
    };
    format!("Could not tell: {} failed{more}: {}; {otherwise}.", doubt.lookup.asked, doubt.why)
}

/// The sentence on an endpoint of the organisation's own that asks for credentials.
pub(super) fn guarded(win: &Win) -> String {
    let host = win.guarded.as_ref().map(|guarded| guarded.host.as_str()).unwrap_or_default();
    match &win.way {
        Way::Jmap => format!("Could not tell: {host} asks for credentials where JMAP would be; whether it serves mail is not to be seen."),
        Way::AutoDetect { .. } => {
            format!(
                "Could not tell: {} names {host}, the organisation's own; whether that sends the client on is not to be seen.",
                source(win)
            )
        }
        _ => format!(
            "Could not tell: Autodiscover at {host} asks for credentials; in a hybrid it sends the client on to Exchange Online, otherwise it keeps it."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LookupKind, Request, Settings};

    #[test]
    fn an_mx_that_is_asked_about_as_it_is_was_not_reduced() {
        for (key, database, expected) in [
            ("mx.example.com", true, "The MX mx.example.com itself has an entry in the ISP database, which"),
            ("mx.example.com", false, "The MX mx.example.com is asked itself, and its own autoconfig document"),
            ("example.com", true, "The MX mx.example.com is reduced to example.com, whose entry in the ISP database"),
            ("example.com", false, "The MX mx.example.com is reduced to example.com, whose own autoconfig document"),
        ] {
            let request = Request::Get { url: format!("https://{key}/"), address: None };
            let win = Win {
                lookup: crate::model::Lookup { kind: LookupKind::MxIspdb, asked: request.asked(), request },
                requests: Vec::new(),
                way: Way::Mx { host: "mx.example.com".to_owned(), key: key.to_owned(), after_parent: false, database },
                settings: Settings::default(),
                provider_id: None,
                beside: None,
                guarded: None,
            };
            assert_eq!(source(&win), expected);
        }
    }
}
