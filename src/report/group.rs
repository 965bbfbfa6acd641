//! Mailboxes of one domain that have one thing wrong, so that ten thousand of them are one entry of the action list. Pure.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{ClientRow, IncidentRow, ReportRow, Setting, alike::Alike};
use crate::model::{Cause, Protocol, Security, Verdict};

/// Whose domain it is. Rows come in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) domain: String,
}

impl Place {
    pub(super) fn holds(&self, row: &ReportRow) -> bool {
        self.domain == row.domain && self.tenant == row.tenant
    }

    pub(super) fn of(row: &ReportRow) -> Self {
        Self { tenant: row.tenant.clone(), domain: row.domain.clone() }
    }
}

/// What the mailboxes of a group have in common, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) client: String,
    pub(super) cause: Option<Cause>,
    pub(super) verdict: Verdict,
    servers: Vec<(Protocol, String, u16, Security, String)>,
}

/// The mailboxes, and the words of the first of them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) example: ClientRow,
    pub(super) settings: Vec<Setting>,
    /// The earliest.
    pub(super) since: Option<String>,
    pub(super) count: usize,
    /// By number, those of single mailboxes with the address: the domain's one, or a few.
    pub(super) incidents: BTreeMap<i64, (IncidentRow, Option<String>)>,
    /// Those that are named.
    pub(super) members: Vec<Member>,
    /// Whether a user name is not the address.
    pub(super) has_other_names: bool,
    /// The place of its client among all.
    rank: Option<usize>,
    /// Of all addresses, in order.
    digest: DefaultHasher,
}

/// Clients with one thing wrong for the same mailboxes.
pub(super) struct Bundle<'a> {
    /// The clients.
    pub(super) clients: Alike<'a>,
    /// What they have in common but the client.
    pub(super) key: &'a Key,
    /// A group each; its mailboxes are everybody's.
    pub(super) groups: Vec<&'a Group>,
}

/// A mailbox of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) address: String,
    /// Name, department and manager, as far as they are known.
    pub(super) person: String,
    /// The user name where it is not the address.
    pub(super) user_name: Option<String>,
}

/// The groups of one domain, in order.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) place: Place,
    by_key: BTreeMap<Key, Group>,
    /// Members that a group names at most.
    limit: usize,
}

impl Groups {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// All groups, in the order of their clients; none is left.
    pub(super) fn take(&mut self) -> Vec<(Key, Group)> {
        let mut groups: Vec<(Key, Group)> = std::mem::take(&mut self.by_key).into_iter().collect();
        groups.sort_by_key(|(_, group)| group.rank);
        groups
    }

    pub(super) fn add(&mut self, row: &ReportRow, client: &ClientRow) {
        let group = self.by_key.entry(key(row, client)).or_insert_with(|| Group::new(row, client));
        let user_name = row.settings.first().map(|setting| &setting.user_name).filter(|name| **name != row.address);
        group.count += 1;
        row.address.hash(&mut group.digest);
        group.has_other_names |= user_name.is_some();
        if client.since.is_some() && (group.since.is_none() || client.since < group.since) {
            group.since.clone_from(&client.since);
        }
        if let Some(incident) = &client.incident {
            let own = || (incident.clone(), incident.is_own.then(|| row.address.clone()));
            group.incidents.entry(incident.id).or_insert_with(own);
        }
        if group.members.len() < self.limit {
            group.members.push(Member { address: row.address.clone(), person: person(row), user_name: user_name.cloned() });
        }
    }
}

impl Group {
    fn new(row: &ReportRow, client: &ClientRow) -> Self {
        Self {
            example: client.clone(),
            settings: client.to_type(&row.settings).cloned().collect(),
            since: None,
            count: 0,
            incidents: BTreeMap::new(),
            members: Vec::new(),
            has_other_names: false,
            rank: row.clients.iter().position(|known| known.outcome.client == client.outcome.client),
            digest: DefaultHasher::new(),
        }
    }

    fn has_the_mailboxes_of(&self, other: &Self) -> bool {
        self.count == other.count && self.digest.finish() == other.digest.finish()
    }
}

/// Brings those groups together that are of the same mailboxes, and whose clients come to the same.
pub(super) fn bundles(groups: &[(Key, Group)]) -> Vec<Bundle<'_>> {
    let mut bundles: Vec<Bundle<'_>> = Vec::new();
    for (key, group) in groups {
        let (outcome, advice) = (&group.example.outcome, group.example.advice.as_deref());
        match bundles.iter_mut().find(|bundle| bundle.takes(key, group)) {
            Some(bundle) => {
                bundle.clients.add(outcome);
                bundle.groups.push(group);
            }
            None => bundles.push(Bundle { clients: Alike::new(outcome, advice), key, groups: vec![group] }),
        }
    }
    bundles
}

impl<'a> Bundle<'a> {
    fn takes(&self, key: &Key, group: &Group) -> bool {
        self.key.servers == key.servers
            && self.groups.iter().all(|known| known.has_the_mailboxes_of(group))
            && self.clients.takes(&group.example.outcome, group.example.advice.as_deref())
    }

    /// The earliest time at which it was found.
    pub(super) fn since(&self) -> Option<&'a str> {
        self.groups.iter().filter_map(|group| group.since.as_deref()).min()
    }

    /// All incidents by number, a line each, which names the client where there are several.
    pub(super) fn incidents(&self) -> Vec<String> {
        let mut lines = BTreeMap::new();
        for group in &self.groups {
            let client = (self.groups.len() > 1).then_some(group.example.outcome.client.as_str());
            lines.extend(group.incidents.iter().map(|(id, (incident, address))| (*id, incident.line(client, address.as_deref()))));
        }
        lines.into_values().collect()
    }
}

fn key(row: &ReportRow, client: &ClientRow) -> Key {
    let servers = client.to_type(&row.settings);
    Key {
        client: client.outcome.client.clone(),
        cause: client.outcome.cause,
        verdict: client.outcome.verdict,
        servers: servers.map(|one| (one.protocol, one.host.clone(), one.port, one.security, one.sign_in.clone())).collect(),
    }
}

fn person(row: &ReportRow) -> String {
    let manager = row.manager.as_ref().map(|manager| format!("manager {manager}"));
    let known = [row.display_name.as_ref(), row.department.as_ref(), manager.as_ref()];
    known.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
}
