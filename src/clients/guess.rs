//! Guesses: mail servers at names that a client makes from the domain, where everything before found nothing. Names are looked up
//! first, and those that do not exist cost nothing more. A client takes incoming and outgoing servers or none, so that both must be
//! found. Not made for what would come in a winner's place: that would cost each domain with one source a dozen connections to its
//! web server.
//!
//! What a try comes to is decided here, and not by [`Obstacle::outcome`], as the client's question is another one: not "what does this
//! document say?" but "does a mail server answer here?". A refused connection answers that: nobody listens. So does a certificate that
//! the client refuses (some look at none behind STARTTLS), and a port that keeps silent on a host that answers on another one: it is
//! filtered, today and tomorrow. A host that is silent altogether may be back in a minute, and what our own limits forbade was never
//! tried: both are a doubt, where that try comes before the one that answered.

use std::{collections::HashSet, net::IpAddr};

use super::{
    offer::Offer,
    row::{Needs, Step},
    search::Trail,
};
use crate::model::{
    AnswerOutcome, Domain, Lookup, LookupKind, Obstacle, Protocol, Reading, Reply, Request, Security, Server, Settings, Way, Win,
};

/// Tries the hosts of a step; what answers wins. Beside what an earlier step found, the outgoing servers stand in where that names none.
pub(super) fn search(trail: &mut Trail<'_>, step: &Step, (domain, mx): (&Domain, Option<&str>)) {
    let wants_incoming = match &trail.discovery.win {
        None => true,
        Some(win) if step.beside && win.guarded.is_none() && win.settings.outgoing.is_empty() => false,
        Some(_) => return,
    };
    if trail.is_waiting() || trail.assumes_loss() {
        return;
    }
    let mut survey = Survey { domain, mx, needs: step.needs, life: HashSet::new(), waiting: false };
    let incoming = if wants_incoming { step.incoming.as_slice() } else { &[] };
    survey.look_up_names(trail, incoming.iter().chain(&step.outgoing));
    if survey.waiting {
        return;
    }
    let sides = [incoming, step.outgoing.as_slice()].map(|offers| survey.probe(trail, offers));
    if survey.waiting {
        return;
    }
    let [incoming, outgoing] = sides.map(|tries| survey.choose(trail, tries));
    if !wants_incoming {
        if let Some(known) = &mut trail.discovery.win {
            known.requests.extend(outgoing.found.iter().map(|(lookup, _)| lookup.request.clone()));
            known.settings.outgoing = outgoing.servers();
        }
        return;
    }
    if incoming.is_hopeless() || outgoing.is_hopeless() {
        return;
    }
    for (lookup, why) in incoming.doubts.iter().chain(&outgoing.doubts) {
        trail.record(lookup, AnswerOutcome::Failed, why);
    }
    let requests = incoming.found.iter().chain(&outgoing.found).map(|(lookup, _)| lookup.request.clone()).collect();
    let settings = Settings { incoming: incoming.servers(), outgoing: outgoing.servers() };
    if let (Some((lookup, _)), false) = (incoming.found.into_iter().next(), settings.outgoing.is_empty()) {
        trail.win(Win { lookup, requests, way: Way::Guess, settings, provider_id: None, beside: None, guarded: None });
    }
}

/// One connection that the client makes.
struct Try {
    lookup: Lookup,
    server: Server,
    upshot: Upshot,
}

/// What a try came to.
#[derive(Clone, PartialEq, Eq)]
enum Upshot {
    Good,
    /// No mail server that the client would take.
    No,
    /// Nothing was heard from there.
    Silent(String),
    Doubt(String),
}

/// What one side, incoming or outgoing, came to.
#[derive(Default)]
struct Side {
    /// The first server of each protocol.
    found: Vec<(Lookup, Server)>,
    /// What could have come before them.
    doubts: Vec<(Lookup, String)>,
}

impl Side {
    fn is_hopeless(&self) -> bool {
        self.found.is_empty() && self.doubts.is_empty()
    }

    fn doubt(&mut self, lookup: Lookup, why: String) {
        if self.doubts.iter().all(|(known, _)| *known != lookup) {
            self.doubts.push((lookup, why));
        }
    }

    fn servers(&self) -> Vec<Server> {
        self.found.iter().map(|(_, server)| server.clone()).collect()
    }
}

struct Survey<'a> {
    domain: &'a Domain,
    mx: Option<&'a str>,
    needs: Needs,
    /// Addresses at which something answers.
    life: HashSet<IpAddr>,
    /// An answer is missing.
    waiting: bool,
}

impl Survey<'_> {
    /// Asks for the addresses of every host.
    fn look_up_names<'o>(&mut self, trail: &mut Trail<'_>, offers: impl Iterator<Item = &'o Offer>) {
        for (host, _) in offers.flat_map(|offer| offer.places(self.domain.as_str(), self.mx)) {
            let reading = trail.ask(&lookup(Request::Addresses { name: host.clone() }));
            self.waiting |= reading.is_none();
            if reading.is_some() && answers_on_the_web(trail, &host) {
                self.life.extend(addresses(trail, &host));
            }
        }
    }

    /// Tries all protected connections, and the others after them only where none is good. One port of a host that cannot be reached is
    /// not tried twice.
    fn probe(&mut self, trail: &mut Trail<'_>, offers: &[Offer]) -> Vec<Try> {
        let mut tries: Vec<Try> = Vec::new();
        let is_plain = |offer: &Offer| offer.security == Security::Plain;
        for alike in offers.chunk_by(|one, next| is_plain(one) == is_plain(next)) {
            if self.waiting || tries.iter().any(|known| known.upshot == Upshot::Good) {
                break;
            }
            for offer in alike {
                for place in offer.places(self.domain.as_str(), self.mx) {
                    let made = self.connect(trail, offer.server(place), &tries);
                    tries.extend(made);
                }
            }
        }
        tries
    }

    /// `None` where the name does not exist, and where the answer is missing.
    fn connect(&mut self, trail: &mut Trail<'_>, server: Server, before: &[Try]) -> Option<Try> {
        let named = lookup(Request::Addresses { name: server.host.clone() });
        let reading = trail.reading(&named.request)?;
        match reading.outcome {
            AnswerOutcome::Found => {}
            AnswerOutcome::Failed => return Some(Try { lookup: named, server, upshot: Upshot::Doubt(reading.detail.clone()) }),
            _ => return None,
        }
        let same = |known: &&Try| known.server.host == server.host && known.server.port == server.port;
        if let Some(known) = before.iter().find(same).filter(|known| !is_reached(trail, &known.lookup)) {
            return Some(Try { lookup: known.lookup.clone(), server, upshot: known.upshot.clone() });
        }
        let (host, port, security) = (server.host.clone(), server.port, server.security);
        let lookup = lookup(Request::Greeting { host, port, security });
        let Some(reading) = trail.ask(&lookup) else {
            self.waiting = true;
            return None;
        };
        if is_heard(&reading.answer.reply) {
            self.life.extend(addresses(trail, &server.host));
        }
        let upshot = upshot(reading, &server, self.needs);
        Some(Try { lookup, server, upshot })
    }

    /// The first good server of each protocol, and what could have come before the first of all.
    fn choose(&self, trail: &Trail<'_>, tries: Vec<Try>) -> Side {
        let mut side = Side::default();
        for Try { lookup, server, upshot } in tries {
            match upshot {
                Upshot::Good if side.found.iter().all(|(_, known)| known.protocol != server.protocol) => side.found.push((lookup, server)),
                Upshot::Silent(_) if self.is_alive(trail, &server.host) => {}
                Upshot::Silent(why) | Upshot::Doubt(why) if side.found.is_empty() => side.doubt(lookup, why),
                _ => {}
            }
        }
        side
    }

    fn is_alive(&self, trail: &Trail<'_>, host: &str) -> bool {
        addresses(trail, host).iter().any(|address| self.life.contains(address))
    }
}

fn lookup(request: Request) -> Lookup {
    Lookup { kind: LookupKind::Guess, asked: request.asked(), request }
}

fn addresses(trail: &Trail<'_>, host: &str) -> Vec<IpAddr> {
    let reading = trail.reading(&Request::Addresses { name: host.to_owned() });
    match reading.map(|reading| &reading.answer.reply) {
        Some(Reply::Addresses(addresses)) => addresses.clone(),
        _ => Vec::new(),
    }
}

/// Whether a web server was heard at a host in this search.
fn answers_on_the_web(trail: &Trail<'_>, host: &str) -> bool {
    let at_host = |request: &Request| match request {
        Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } | Request::Http { url, .. } => {
            url::Url::parse(url).is_ok_and(|url| url.host_str() == Some(host))
        }
        _ => false,
    };
    let asked = trail.discovery.lookups.iter().filter(|lookup| at_host(&lookup.request));
    asked.filter_map(|lookup| trail.reading(&lookup.request)).any(|reading| match reading.answer.hops.first() {
        Some(hop) if hop.status.is_some() => true,
        _ => reading.answer.hops.len() <= 1 && is_heard(&reading.answer.reply),
    })
}

/// Whether a reply shows that something is there at all.
fn is_heard(reply: &Reply) -> bool {
    match reply {
        Reply::Obstacle(Obstacle::ConnectionRefused | Obstacle::ConnectionCut | Obstacle::TurnedAway { .. }) => true,
        Reply::Obstacle(obstacle) => is_open(obstacle),
        _ => true,
    }
}

/// Whether something takes the connection, and is not what a client that looks closer wants.
fn is_open(obstacle: &Obstacle) -> bool {
    let forbidden = matches!(obstacle, Obstacle::ForbiddenAddress { .. });
    *obstacle == Obstacle::Handshake || (obstacle.outcome() == AnswerOutcome::Invalid && !forbidden)
}

/// Whether TLS had begun: behind STARTTLS, that it was offered and taken.
fn is_of_handshake(obstacle: &Obstacle) -> bool {
    use Obstacle::{CertificateExpired, CertificateName, CertificateOther, CertificateUntrusted, Handshake};
    matches!(obstacle, CertificateName | CertificateExpired | CertificateUntrusted | CertificateOther | Handshake)
}

/// Whether a connection came about, so that another way to protect it may fare better.
fn is_reached(trail: &Trail<'_>, lookup: &Lookup) -> bool {
    let reply = trail.reading(&lookup.request).map(|reading| &reading.answer.reply);
    reply.is_some_and(|reply| is_heard(reply) && *reply != Reply::Obstacle(Obstacle::ConnectionRefused))
}

fn upshot(reading: &Reading, server: &Server, needs: Needs) -> Upshot {
    let why = || reading.detail.clone();
    match &reading.answer.reply {
        Reply::Greeting(line) if needs == Needs::OpenPort || is_greeting(server.protocol, line) => Upshot::Good,
        Reply::Obstacle(Obstacle::ConnectionRefused) => Upshot::No,
        Reply::Obstacle(obstacle) if is_open(obstacle) => match needs {
            Needs::OpenPort => Upshot::Good,
            Needs::StartTlsOffer if server.security == Security::StartTls && is_of_handshake(obstacle) => Upshot::Good,
            _ => Upshot::No,
        },
        Reply::Obstacle(Obstacle::Timeout | Obstacle::Unreachable) => Upshot::Silent(why()),
        Reply::Obstacle(obstacle) if obstacle.outcome() == AnswerOutcome::Failed => Upshot::Doubt(why()),
        _ => Upshot::No,
    }
}

/// Whether a first line is that of a protocol's server (RFC 9051 section 7.1, RFC 1939 section 3, RFC 5321 section 4.2).
fn is_greeting(protocol: Protocol, line: &str) -> bool {
    line.starts_with(match protocol {
        Protocol::Imap => "* ",
        Protocol::Pop3 => "+OK",
        _ => "220",
    })
}
