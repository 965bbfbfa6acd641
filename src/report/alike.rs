//! Clients that come to the same, so that a person is told of them once. Pure.

use crate::model::{ClientOutcome, Protocol, Server, Settings, Source};

/// Clients with one verdict, one cause and one advice, none of which would set another server for a protocol than the others.
#[derive(Debug, Clone)]
pub(super) struct Alike<'a> {
    clients: Vec<&'a ClientOutcome>,
    advice: Option<&'a str>,
}

/// Brings clients together, in the order in which the first of each comes.
pub(super) fn alike<'a>(outcomes: impl IntoIterator<Item = (&'a ClientOutcome, Option<&'a str>)>) -> Vec<Alike<'a>> {
    let mut all: Vec<Alike<'a>> = Vec::new();
    for (outcome, advice) in outcomes {
        match all.iter_mut().find(|alike| alike.takes(outcome, advice)) {
            Some(alike) => alike.add(outcome),
            None => all.push(Alike::new(outcome, advice)),
        }
    }
    all
}

impl<'a> Alike<'a> {
    /// A client by itself, and the advice on its cause.
    pub(super) fn new(outcome: &'a ClientOutcome, advice: Option<&'a str>) -> Self {
        Self { clients: vec![outcome], advice }
    }

    /// Whether a client comes to the same as all of these.
    pub(super) fn takes(&self, outcome: &ClientOutcome, advice: Option<&str>) -> bool {
        self.advice == advice && self.clients.iter().all(|known| is_alike(known, outcome))
    }

    /// Takes another one in.
    pub(super) fn add(&mut self, outcome: &'a ClientOutcome) {
        self.clients.push(outcome);
    }

    /// The first of them, for words that are told once.
    pub(super) fn first(&self) -> Option<&'a ClientOutcome> {
        self.clients.first().copied()
    }

    /// What their administrator can do.
    pub(super) fn advice(&self) -> Option<&'a str> {
        self.advice
    }

    /// Their names.
    pub(super) fn names(&self) -> String {
        self.clients.iter().map(|outcome| outcome.client.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// All servers of theirs, each with a word on whose it is where it is not everybody's. How to sign in is left out where they differ.
    pub(super) fn servers(&self) -> Vec<(Server, Option<String>)> {
        self.gather(|outcome| Some(&outcome.settings))
    }

    /// The same of what they would set, had the lookups that decide failed.
    pub(super) fn next_servers(&self) -> Vec<(Server, Option<String>)> {
        self.gather(|outcome| outcome.next.as_ref().map(|next| &next.settings))
    }

    /// The servers that each of them has, and those that some have beside them.
    pub(super) fn shared_servers(&self) -> (Vec<Server>, Vec<Server>) {
        let (shared, some): (Vec<_>, Vec<_>) = self.servers().into_iter().partition(|(_, note)| note.is_none());
        let of = |servers: Vec<(Server, Option<String>)>| servers.into_iter().map(|(server, _)| server).collect();
        (of(shared), of(some))
    }

    /// The lookups that decided, each with whose it is where it is not everybody's.
    pub(super) fn sources(&self) -> Vec<(&'a Source, Option<String>)> {
        let mut all: Vec<(&Source, Vec<&str>)> = Vec::new();
        for outcome in &self.clients {
            let Some(source) = &outcome.source else { continue };
            match all.iter_mut().find(|(known, _)| *known == source) {
                Some((_, whose)) => whose.push(&outcome.client),
                None => all.push((source, vec![&outcome.client])),
            }
        }
        all.into_iter().map(|(source, whose)| (source, (whose.len() < self.clients.len()).then(|| whose.join(", ")))).collect()
    }

    /// Why it is so, in the words for the first of them.
    pub(super) fn why(&self) -> String {
        let Some(first) = self.first() else { return String::new() };
        if self.clients.iter().all(|outcome| outcome.explanation == first.explanation) {
            return first.explanation.clone();
        }
        format!("{}: {}", first.client, first.explanation)
    }

    fn gather(&self, settings: impl Fn(&'a ClientOutcome) -> Option<&'a Settings>) -> Vec<(Server, Option<String>)> {
        let mut all: Vec<(Server, Vec<&str>)> = Vec::new();
        for outcome in &self.clients {
            for server in settings(outcome).into_iter().flat_map(Settings::servers) {
                match all.iter_mut().find(|(known, _)| is_same(known, server)) {
                    Some((known, whose)) => {
                        if known.auth != server.auth {
                            known.auth.clear();
                        }
                        whose.push(&outcome.client);
                    }
                    None => all.push((server.clone(), vec![&outcome.client])),
                }
            }
        }
        all.into_iter().map(|(server, whose)| (server, self.note(&whose))).collect()
    }

    /// Whose something is, or whose it is not, whatever is shorter; `None`: everybody's.
    fn note(&self, whose: &[&str]) -> Option<String> {
        let names = |is_theirs: bool| -> Vec<&str> {
            let all = self.clients.iter().map(|outcome| outcome.client.as_str());
            all.filter(|name| whose.contains(name) == is_theirs).collect()
        };
        let (with, without) = (names(true), names(false));
        match without.len() {
            0 => None,
            many if many <= with.len() => Some(format!("not {}", without.join(", "))),
            _ => Some(format!("only {}", with.join(", "))),
        }
    }
}

fn is_alike(one: &ClientOutcome, other: &ClientOutcome) -> bool {
    let position = |outcome: &ClientOutcome| (outcome.audited, outcome.verdict, outcome.fragile, outcome.inferred, outcome.cause);
    let next = |outcome: &ClientOutcome| outcome.next.as_ref().map(|next| next.settings.clone()).unwrap_or_default();
    position(one) == position(other) && agree(&one.settings, &other.settings) && (!one.fragile || agree(&next(one), &next(other)))
}

/// Whether both have the same servers for the protocols that both have, and both have one, or neither has any.
fn agree(one: &Settings, other: &Settings) -> bool {
    let of = |settings: &Settings, protocol: Protocol| -> Vec<Server> {
        settings.servers().filter(|server| server.protocol == protocol).cloned().collect()
    };
    let speaks = |protocol: Protocol| other.servers().any(|server| server.protocol == protocol);
    let is_shared = one.servers().any(|server| speaks(server.protocol)) || one.is_empty() && other.is_empty();
    let is_same_where_shared = one.servers().all(|server| {
        let (ours, theirs) = (of(one, server.protocol), of(other, server.protocol));
        theirs.is_empty() || ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(our, their)| is_same(our, their))
    });
    is_shared && is_same_where_shared
}

fn is_same(one: &Server, other: &Server) -> bool {
    let place = |server: &Server| (server.protocol, server.port, server.security, server.class);
    place(one) == place(other) && one.host == other.host
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cause, LookupKind, Next, Security, Verdict};

    /// `PROTOCOL HOST` each.
    fn settings(servers: &[&str]) -> Settings {
        let server = |text: &&str| {
            let (protocol, host) = text.split_once(' ').unwrap();
            let protocol: Protocol = protocol.parse().unwrap();
            let (port, security, host) = (1, Security::Tls, host.to_owned());
            Server { protocol, host, port, security, auth: vec!["oauth2".to_owned()], username: String::new(), class: None }
        };
        let (outgoing, incoming) = servers.iter().map(server).partition(|server: &Server| server.protocol == Protocol::Smtp);
        Settings { incoming, outgoing }
    }

    fn client(name: &str, servers: &[&str]) -> ClientOutcome {
        ClientOutcome {
            cause: Some(Cause::OwnAutoconfigStale),
            explanation: format!("It has {}.", servers.len()),
            source: Some(Source { lookup: LookupKind::OwnAutoconfig, asked: format!("https://{}.example/", servers.len()) }),
            settings: settings(servers),
            ..ClientOutcome::bare(name, Verdict::Consumer)
        }
    }

    fn names(outcomes: &[ClientOutcome]) -> Vec<String> {
        alike(outcomes.iter().map(|outcome| (outcome, None))).iter().map(Alike::names).collect()
    }

    #[test]
    fn clients_with_the_same_servers_wherever_they_have_one_are_alike() {
        let whole = client("a", &["imap i.example", "pop3 p.example", "smtp s.example"]);
        let pair = |name: &str, imap: &str| client(name, &[&format!("imap {imap}"), "smtp s.example"]);
        assert_eq!(names(&[whole.clone(), pair("b", "i.example"), pair("c", "other.example")]), ["a, b", "c"]);
        let (sync, nothing) = (client("d", &["activesync x.example"]), client("e", &[]));
        assert_eq!(names(&[whole.clone(), sync, nothing.clone()]), ["a", "d", "e"], "they share nothing");
        assert_eq!(names(&[nothing.clone(), ClientOutcome { client: "f".to_owned(), ..nothing }]), ["e, f"]);
        for other in [
            ClientOutcome { audited: false, ..whole.clone() },
            ClientOutcome { verdict: Verdict::Foreign, ..whole.clone() },
            ClientOutcome { cause: Some(Cause::SrvStale), ..whole.clone() },
            ClientOutcome { inferred: true, ..whole.clone() },
        ] {
            assert_eq!(names(&[whole.clone(), other]).len(), 2);
        }
        let next = |host: &str| {
            let (source, settings) = (whole.source.clone().unwrap(), settings(&[host]));
            let next = Some(Next { verdict: Verdict::Consumer, source, settings });
            ClientOutcome { fragile: true, next, ..whole.clone() }
        };
        assert_eq!(names(&[next("imap x.example"), next("imap y.example")]).len(), 2);
    }

    #[test]
    fn what_is_not_everybodys_says_whose_it_is() {
        let whole = client("a", &["imap i.example", "pop3 p.example", "smtp s.example"]);
        let same = ClientOutcome { client: "b".to_owned(), ..whole.clone() };
        let mut pair = client("c", &["imap i.example", "smtp s.example"]);
        pair.settings.incoming[0].auth = vec!["password-cleartext".to_owned()];
        let graph = client("d", &["imap i.example", "graph g.example", "smtp s.example"]);
        let all = [whole, same, pair, graph];
        let alike = alike(all.iter().map(|outcome| (outcome, None)));
        let [alike] = alike.as_slice() else { panic!("{alike:?}") };
        let told: Vec<String> = alike
            .servers()
            .iter()
            .map(|(server, note)| format!("{} {:?} {}", server.host, server.auth, note.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            told,
            ["i.example [] -", r#"p.example ["oauth2"] not c, d"#, r#"s.example ["oauth2"] -"#, r#"g.example ["oauth2"] only d"#]
        );
        let hosts = |servers: Vec<Server>| servers.into_iter().map(|server| server.host).collect::<Vec<_>>();
        let (by_all, by_some) = alike.shared_servers();
        assert_eq!(
            (hosts(by_all), hosts(by_some)),
            (vec!["i.example".into(), "s.example".into()], vec!["p.example".into(), "g.example".into()])
        );
        assert_eq!(alike.why(), "a: It has 3.");
        let askers: Vec<Option<String>> = alike.sources().into_iter().map(|(_, names)| names).collect();
        assert_eq!(askers, [Some("a, b, d".to_owned()), Some("c".to_owned())]);
    }
}
