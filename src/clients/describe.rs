//! A client's way in words: what it asks, in its order, and what stops it, by the example of one mailbox and its MX. A person can follow
//! it with `dig` and `curl`.

use serde::Serialize;

use super::{
    built_in::Provider,
    offer::Offer,
    reduction::Reduction,
    row::{Client, Dialect, Method, MxOrder, Needs, OnFailure, Onward, Redirect, Standing, Step, Way},
    srv,
    v2::FIRST_HOST,
};
use crate::model::{AUTODETECT_URL, Address, LookupKind, Security, Server, V2Protocol, jmap_url, pacc_digest_name, pacc_url, v2_path_url};

/// A client in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Its name on the command line.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Which versions the row stands for.
    pub versions: String,
    /// Who is told about it.
    pub standing: Standing,
    /// Its parser.
    pub dialect: Dialect,
    /// What the parser takes, and what ends a search.
    pub reads: &'static str,
    /// Domains at whose hosts it can sign in with `OAuth2`; empty: anywhere.
    pub oauth_hosts: Vec<String>,
    /// The mailbox of the example.
    pub example: String,
    /// What it does, in order.
    pub stages: Vec<Stage>,
    /// Where the row's claims come from, beside those of the stages.
    pub sources: Vec<String>,
}

/// Something that a client does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// From 1.
    pub number: usize,
    /// The parts that its lookups play.
    pub lookups: Vec<LookupKind>,
    /// What it is, a sentence.
    pub what: String,
    /// What is asked, or what is built in, in order.
    pub asks: Vec<String>,
    /// What follows from the answers, a sentence each.
    pub notes: Vec<String>,
    /// Where that comes from.
    pub sources: Vec<String>,
}

impl Description {
    /// Describes a client by `address` as the mailbox and `mx` as its MX host.
    #[must_use]
    pub fn of(client: &Client, address: &Address, mx: &str) -> Self {
        let example = Example { client, address, mx };
        let together = |one: &Step, next: &Step| client.mx_order == MxOrder::NameByName && one.is_of_mx() && next.is_of_mx();
        let mut stages: Vec<Stage> = Vec::new();
        for group in client.steps.chunk_by(together) {
            let needs_mx = group.iter().any(|step| step.is_of_mx() || step.needs_mx_host());
            if needs_mx && stages.iter().all(|stage| stage.lookups != [LookupKind::Mx]) {
                stages.push(example.mx_stage());
            }
            stages.push(example.stage(group));
        }
        for (at, stage) in stages.iter_mut().enumerate() {
            stage.number = at + 1;
        }
        Self {
            name: client.name.clone(),
            title: client.title.clone(),
            versions: client.versions.clone(),
            standing: client.standing,
            dialect: client.dialect,
            reads: reads(client.dialect),
            oauth_hosts: client.oauth_hosts.clone(),
            example: format!("{address} with the MX {mx}"),
            stages,
            sources: client.sources.clone(),
        }
    }
}

struct Example<'a> {
    client: &'a Client,
    address: &'a Address,
    mx: &'a str,
}

impl Example<'_> {
    fn domain(&self) -> &str {
        self.address.domain().as_str()
    }

    fn mx_stage(&self) -> Stage {
        let taken = if self.client.mx_any_preference {
            "Of several the one that the resolver lists first is taken, whatever its preference."
        } else {
            "Of several the first one of the best preference is taken."
        };
        let mut notes = vec![taken.to_owned()];
        if let Some(reduction) = self.client.mx {
            let names = reduction.names(self.mx, self.domain());
            notes.push(format!("{} is reduced to {}: {}.", self.mx, names.join(", then "), rule(reduction)));
        }
        let asks = vec![format!("MX {}", self.domain())];
        let what = "The MX of the domain.".to_owned();
        Stage { number: 0, lookups: vec![LookupKind::Mx], what, asks, notes, sources: Vec::new() }
    }

    /// A step, or several that go through the names of the MX together.
    fn stage(&self, group: &[Step]) -> Stage {
        let lookups: Vec<LookupKind> = group.iter().map(|step| step.lookup).collect();
        let mut sources: Vec<String> = group.iter().map(|step| step.source.clone()).collect();
        sources.dedup();
        let names = self.client.mx.map_or_else(Vec::new, |reduction| reduction.names(self.mx, self.domain()));
        let asks = match group {
            [step] if !step.is_of_mx() => self.asks(step),
            steps => names.iter().flat_map(|name| steps.iter().flat_map(|step| self.urls(step, name))).collect(),
        };
        let what = match group {
            [step] if !step.is_of_mx() => format!("{}.", kind(step.lookup)),
            [step] => format!("{}, for each name that the MX is reduced to.", kind(step.lookup)),
            _ => "What the names publish that the MX is reduced to, and the ISP database's entries for them, name by name.".to_owned(),
        };
        let of_steps: Vec<(&Step, Vec<String>)> = group.iter().map(|step| (step, self.notes(step))).collect();
        let mut notes: Vec<String> = Vec::new();
        for (step, of_step) in &of_steps {
            for note in of_step {
                // what is not true of all is told of its own
                let of_all = of_steps.iter().all(|(_, others)| others.contains(note));
                let note = if of_all { note.clone() } else { format!("{}: {note}", kind(step.lookup)) };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        Stage { number: 0, lookups, what, asks, notes, sources }
    }

    fn urls(&self, step: &Step, mx: &str) -> Vec<String> {
        step.urls.iter().map(|url| url.shown(self.address, mx)).collect()
    }

    fn asks(&self, step: &Step) -> Vec<String> {
        match step.lookup {
            LookupKind::BuiltIn => step.rows.iter().map(|row| self.row(row)).collect(),
            LookupKind::Guess => step.incoming.iter().chain(&step.outgoing).map(|offer| self.guess(offer)).collect(),
            LookupKind::Srv => srv::names(step).map(|name| format!("SRV {name}.{}", self.domain())).collect(),
            LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync => step.ways.iter().map(|way| self.way(step, *way)).collect(),
            LookupKind::AutodiscoverV2 => self.v2(step),
            LookupKind::Autodetect => vec![format!("GET {AUTODETECT_URL}, X-Email: {}", self.address)],
            LookupKind::Pacc => vec![format!("TXT {}", pacc_digest_name(self.address.domain())), pacc_url(self.address.domain())],
            LookupKind::Jmap => vec![
                format!("SRV _jmap._tcp.{}; {}", self.domain(), jmap_url("TARGET", 443)),
                format!("{}, where there is no record", jmap_url(self.domain(), 443)),
            ],
            _ => self.urls(step, self.mx),
        }
    }

    fn v2(&self, step: &Step) -> Vec<String> {
        let Some(protocol) = step.protocol else { return Vec::new() };
        let first = [FIRST_HOST.to_owned()];
        let hosts = if step.hosts.is_empty() { first.as_slice() } else { &step.hosts };
        let asked = hosts.iter().map(|host| format!("GET {}", v2_path_url(host, self.address, protocol)));
        let next = (protocol == V2Protocol::AutodiscoverV1).then(|| "POST to the URL that it names".to_owned());
        asked.chain(next).collect()
    }

    fn row(&self, row: &Provider) -> String {
        let mut fits = Vec::new();
        if !row.domains.is_empty() {
            fits.push(format!("domain {}", some(row.domains.iter().map(super::Pattern::as_str))));
        }
        if !row.mx.is_empty() {
            fits.push(format!("MX {}", some(row.mx.iter().map(super::Pattern::as_str))));
        }
        if row.mx_base_of_incoming {
            fits.push("any MX with the base of the first host".to_owned());
        }
        let settings = row.settings(self.domain());
        let servers: Vec<String> = settings.servers().map(server).collect();
        format!("{} ({}): {}", row.name, fits.join("; "), servers.join(", "))
    }

    fn guess(&self, offer: &Offer) -> String {
        let places = offer.places(self.domain(), Some(self.mx));
        let places: Vec<String> = places.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        let security = if offer.security == Security::Plain { "without encryption" } else { offer.security.title() };
        format!("{}, {security}: {}", offer.protocol.title(), places.join(", "))
    }

    fn way(&self, step: &Step, way: Way) -> String {
        let domain = self.domain();
        let verb = if step.method == Method::Get { "GET" } else { "POST" };
        let below = |host: &str| format!("{verb} https://{host}/autodiscover/autodiscover.xml");
        match way {
            Way::AutodiscoverHost => below(&format!("autodiscover.{domain}")),
            Way::RootHost => below(domain),
            Way::Http => {
                format!(
                    "GET http://autodiscover.{domain}/autodiscover/autodiscover.xml; {verb} where it redirects to, or there where it answers"
                )
            }
            Way::HttpRedirect => {
                format!("GET http://autodiscover.{domain}/autodiscover/autodiscover.xml; {verb} where it redirects to")
            }
            Way::HttpPost => format!("POST http://autodiscover.{domain}/autodiscover/autodiscover.xml"),
            Way::SrvLowestWeight => format!("SRV _autodiscover._tcp.{domain}, the record of the lowest weight; {}", below("TARGET")),
            Way::Srv => format!("SRV _autodiscover._tcp.{domain}, the record of the best priority on port 443; {}", below("TARGET")),
            Way::SrvInTurn => {
                format!("SRV _autodiscover._tcp.{domain}, the record of each priority on port 443 in turn; {}", below("TARGET"))
            }
            Way::SrvAnyPort => format!("SRV _autodiscover._tcp.{domain}, the record of the best priority on any port; {}", below("TARGET")),
        }
    }

    fn notes(&self, step: &Step) -> Vec<String> {
        let mut notes: Vec<&str> = Vec::new();
        if step.last_resort {
            notes.push("Only where everything before it found nothing.");
        }
        match step.lookup {
            LookupKind::BuiltIn => {
                notes.push("The first row for the domain wins, else the first one for the MX; no server is asked.");
                if step.any_mx {
                    notes.push("Every MX counts, not only those of the best preference.");
                }
                if step.beside {
                    notes.push("Also where the search for documents has ended.");
                }
            }
            LookupKind::Guess => guess_notes(step, &mut notes),
            LookupKind::Srv => notes.push(srv_note(self.client.dialect, step)),
            LookupKind::AutodiscoverPox => pox_notes(step, &mut notes),
            LookupKind::AutodiscoverMobilesync => notes.extend(MOBILESYNC_NOTES),
            LookupKind::AutodiscoverV2 => v2_notes(step, &mut notes),
            LookupKind::Autodetect => notes.extend(AUTODETECT_NOTES),
            LookupKind::Pacc => notes.push("The document counts where a TXT record has its digest."),
            LookupKind::Jmap => notes.push("Where a record names it, a server that asks for credentials counts."),
            _ => document_notes(step, &mut notes),
        }
        let mut notes: Vec<String> = notes.into_iter().map(str::to_owned).collect();
        if let [first, rest @ ..] = step.follow.as_slice() {
            let name = |redirect: &Redirect| if *redirect == Redirect::Url { "RedirectUrl" } else { "RedirectAddr" };
            let names: Vec<&str> = std::iter::once(first).chain(rest).map(name).collect();
            notes.push(format!("Inside an answer {} is followed, at most {} in one search.", names.join(", else "), step.most_redirects));
        }
        notes
    }
}

fn document_notes(step: &Step, notes: &mut Vec<&str>) {
    notes.push(match step.on_unusable {
        Onward::NextUrl => "The first that can be used wins; whatever else comes leads to the next.",
        Onward::NextStep => "The first success is taken; where it cannot be used, this is over, and what is below follows.",
        Onward::Stop => "The first success is taken; where it cannot be used, the search for documents is over.",
    });
    if step.on_failure == OnFailure::StopUnlessNotFound {
        notes.push("Where there is no success, anything but a 404 ends the search for documents.");
    }
}

fn pox_notes(step: &Step, notes: &mut Vec<&str>) {
    notes.push(match step.method {
        Method::Post => "The mailbox is named, and the password is sent where it is asked for.",
        Method::PostWithPassword => {
            "The mailbox is named, and a password is sent where it is asked for; Exchange Online takes none, and the next way follows."
        }
        Method::PostWithoutCredentials => "The mailbox is named; where credentials are asked for, the next way follows.",
        Method::Get => "Nothing is said of the mailbox; where credentials are asked for, the next way follows.",
    });
    notes.push(match step.on_unusable {
        Onward::NextUrl => "The first that can be used wins; whatever else comes leads to the next.",
        Onward::NextStep | Onward::Stop => "The first success is taken, and where it cannot be used, this is over.",
    });
    if step.beside {
        notes.push("Beside what was found before, its Exchange server is offered too; it decides alone where nothing was found.");
    }
}

fn v2_notes(step: &Step, notes: &mut Vec<&str>) {
    notes
        .push("The mailbox is named, and nobody signs in; redirects to Microsoft's hosts and to the domain's own are followed, at most 5.");
    if step.protocol == Some(V2Protocol::AutodiscoverV1) {
        notes.push("Where the URL that it names asks for credentials, the client signs in.");
    }
}

/// What holds of the mobilesync schema.
const MOBILESYNC_NOTES: [&str; 3] = [
    "The mailbox is named, and the password is sent where it is asked for.",
    "The first that can be used wins; whatever else comes leads to the next.",
    "Redirects of HTTP are followed, to https alone and at most 5; a 451 names the server itself, or where to ask again.",
];

/// What holds of AutoDetect.
const AUTODETECT_NOTES: [&str; 2] = [
    "A service in the answer decides, otherwise its servers do; 202 is asked again.",
    "Servers that were never tried with the mailbox come out of a database, and are taken all the same.",
];

fn guess_notes(step: &Step, notes: &mut Vec<&str>) {
    notes.push("Only where everything before it found nothing; names that do not exist are passed over.");
    notes.push(match step.needs {
        Needs::Greeting => "A mail server's greeting under a good certificate is needed, both to read mail and to send it.",
        Needs::StartTlsOffer => {
            "A mail server's greeting is needed, both to read mail and to send it, and with TLS a good certificate; where STARTTLS is offered, no \
             certificate is looked at."
        }
        Needs::OpenPort => "A port that takes connections is enough; one to read mail and one to send it are needed.",
    });
    notes.push("The first that answers wins, with the first of each further protocol.");
    if step.beside {
        notes.push("Its outgoing servers stand in where a document names none.");
    }
}

fn srv_note(dialect: Dialect, step: &Step) -> &'static str {
    match dialect {
        Dialect::Fairemail => "One server for IMAP and one for SMTP, of the lowest priority and then of the highest weight, or none.",
        _ if step.beside => "All targets of the best priority; beside a document its outgoing servers stand in where that names none.",
        _ => "All targets of the best priority of each, ordered by priority and then as above.",
    }
}

fn kind(lookup: LookupKind) -> &'static str {
    match lookup {
        LookupKind::OwnAutoconfig => "What the domain itself publishes",
        LookupKind::Ispdb => "The ISP database's entry for the domain",
        LookupKind::MxAutoconfig => "What a domain of the MX publishes",
        LookupKind::MxIspdb => "The ISP database's entry",
        LookupKind::Mx => "The MX of the domain",
        LookupKind::AutodiscoverPox => "Autodiscover (POX)",
        LookupKind::AutodiscoverSrv => "The SRV record of Autodiscover",
        LookupKind::Srv => "SRV records of the mail services",
        LookupKind::Wildcard => "Whether the domain has a wildcard",
        LookupKind::AutodiscoverMobilesync => "Autodiscover in the mobilesync schema",
        LookupKind::AutodiscoverV2 => "Autodiscover v2 (JSON)",
        LookupKind::AutodiscoverSoap => "Autodiscover's SOAP interface",
        LookupKind::Autodetect => "Microsoft's AutoDetect",
        LookupKind::Pacc => "PACC: the document and the TXT record with its digest",
        LookupKind::Jmap => "JMAP: the SRV record and the session",
        LookupKind::Realm => "Who signs the domain's users in",
        LookupKind::Openid => "The OpenID metadata of the domain's tenant",
        LookupKind::CredentialType => "Where the account exists",
        LookupKind::Guess => "Hosts that it guesses",
        LookupKind::BuiltIn => "A table of its own",
    }
}

/// What a parser takes, and what ends a search, a sentence.
fn reads(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Thunderbird | Dialect::Thunderbird115 => {
            "all servers of the types that it knows, in document order, the first one by default; a document needs an id, a domain, an \
             incoming and an outgoing server, and one for news alone ends the search"
        }
        Dialect::ThunderbirdAndroid => "IMAP and SMTP; one server with a fault refuses the whole document",
        Dialect::Evolution => "IMAP, POP3 and SMTP, of several of a type the last values; any well-formed XML ends the search",
        Dialect::Kmail => {
            "IMAP, then POP3, and of the servers for SMTP the first with STARTTLS, else with TLS; only the status 200 is a success"
        }
        Dialect::GnomeOnlineAccounts => {
            "the first server for IMAP and the first for SMTP; only the status 200 is a success, and any clientConfig ends the search"
        }
        Dialect::Geary => {
            "the first incoming server, which must be for IMAP, and the first outgoing one; the ids hotmail.com and googlemail.com mean \
             servers that are built in"
        }
        Dialect::NextcloudMail => "the first server for IMAP and the first for SMTP; one without the other ends the search",
        Dialect::DeltaChat => "every server for IMAP and SMTP with host, port and user name; whatever can be read ends the search",
        Dialect::Fairemail => {
            "the first incoming server, which must be for IMAP, and the first outgoing one; all sources are asked, and the best score wins: a \
             row of its own table 200, a document with a user name of its own 140, SRV records 100, other documents and Autodiscover 40; a \
             row that has one of the hosts found takes their place"
        }
        Dialect::Snappymail => {
            "the first incoming server, which must be for IMAP, and the first outgoing one; whatever has an emailProvider ends the search"
        }
        Dialect::Mailspring => "the first server for IMAP and the first for SMTP; whatever can be read, and an empty body, ends the search",
        Dialect::Outlook => {
            "an Exchange account where there is one, else all servers for IMAP, POP3 and SMTP; TLS and SPA unless they are off"
        }
        Dialect::Tolerant => "whatever names a server, the first one of each protocol",
    }
}

fn rule(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::ParentThenBase => {
            "the host without its first label, where that is longer than the base, then the base, which is its registrable domain by the public \
             suffix list; nothing where the MX lies in the mail domain itself"
        }
        Reduction::Base => "the registrable domain by the public suffix list; nothing where the MX lies in the mail domain itself",
        Reduction::EverySuffix => "the host, and what is left as label after label goes, down to two labels",
        Reduction::HostThenBase => "the host, then its registrable domain by the public suffix list",
        Reduction::HostParentLastTwo => {
            "the host, the host without its first label unless that is a public suffix, and the last two labels"
        }
        Reduction::LastTwo => "the last two labels",
        Reduction::HostDownToBase => "the host, and what is left as label after label goes, down to its registrable domain",
    }
}

fn server(server: &Server) -> String {
    format!("{} {}:{} {}", server.protocol.title(), server.host, server.port, server.security.title())
}

/// The first few of many.
fn some<'a>(items: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = items.len().saturating_sub(MOST);
    let shown: Vec<&str> = items.take(MOST).collect();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

const MOST: usize = 8;
