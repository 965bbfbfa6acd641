//! What a check of a domain saw of each concern. Pure: the outcomes of its mailboxes, grouped, and the incidents that stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Seen, Sighting};
use crate::model::{
    Account, Address, Cause, ClientOutcome, Concern, Domain, Hosting, Incident, Outcome, Server, Severity, TenantId, Verdict,
};

/// Mailboxes of a domain that have one profile and one outcome.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Tells profiles apart. Several outcomes for one profile: the answers depend on the address.
    pub profile: i64,
    /// What was found out about them.
    pub outcome: &'a Outcome,
    /// How many they are.
    pub mailboxes: u64,
    /// One of them.
    pub example: &'a Address,
}

/// The advice on a client's cause, as `remedy` gives it.
pub type Advise<'a> = &'a dyn Fn(&str, Cause, &Domain, Hosting) -> String;

/// What was seen of every concern of a domain: of the findings that there are, and of the incidents that stand without one.
#[must_use]
pub fn observe(
    (tenant, domain): (&TenantId, &Domain),
    groups: &[Group<'_>],
    standing: &[&Incident],
    advise: Advise<'_>,
) -> Vec<(Concern, Seen)> {
    let mut seen: BTreeMap<Concern, Seen> = BTreeMap::new();
    for (key, bucket) in buckets(groups) {
        let (client, cause) = key;
        let concern =
            |mailbox| Concern::Finding { tenant: tenant.clone(), domain: domain.clone(), client: client.to_owned(), cause, mailbox };
        let advise = |hosting| advise(client, cause, domain, hosting);
        let is_complete = !is_doubtful(groups, client);
        let stands_for_domain = standing.iter().any(|incident| incident.concern == concern(None) && incident.state.is_standing());
        if !stands_for_domain && bucket.is_of_single_mailboxes(groups) {
            for part in &bucket.parts {
                let sighting = sighting(std::slice::from_ref(part), is_complete, &advise);
                seen.insert(concern(Some(part.group.example.key())), Seen::Present(sighting));
            }
        } else {
            seen.insert(concern(None), Seen::Present(sighting(&bucket.parts, is_complete, &advise)));
        }
    }
    for incident in standing {
        let Concern::Finding { client, cause, mailbox, .. } = &incident.concern else { continue };
        if seen.contains_key(&incident.concern) {
            continue;
        }
        let of_domain =
            Concern::Finding { tenant: tenant.clone(), domain: domain.clone(), client: client.clone(), cause: *cause, mailbox: None };
        let is_taken_over = mailbox.is_some() && matches!(seen.get(&of_domain), Some(Seen::Present(_)));
        let now = if is_taken_over { Seen::Gone("It concerns the whole domain now.") } else { without_finding(groups, client, *cause) };
        seen.insert(incident.concern.clone(), now);
    }
    seen.into_iter().collect()
}

/// The mailboxes of one client and cause.
#[derive(Debug, Default)]
struct Bucket<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    group: Group<'a>,
    client: &'a ClientOutcome,
}

fn buckets<'a>(groups: &[Group<'a>]) -> BTreeMap<(&'a str, Cause), Bucket<'a>> {
    let mut buckets: BTreeMap<(&str, Cause), Bucket<'_>> = BTreeMap::new();
    for group in groups {
        for client in &group.outcome.clients {
            if let Some(cause) = client.cause.filter(|_| is_alerting(client)) {
                buckets.entry((client.client.as_str(), cause)).or_default().parts.push(Part { group: *group, client });
            }
        }
    }
    buckets
}

/// What is only inferred, and what nobody audits, is reported and never alerts.
fn is_alerting(client: &ClientOutcome) -> bool {
    client.audited && client.verdict.is_finding() && !client.inferred
}

impl Bucket<'_> {
    /// Whether the cause is the own one of a few mailboxes: the answers depend on the address, no two of them share an outcome,
    /// and most mailboxes of the domain are not concerned.
    fn is_of_single_mailboxes(&self, groups: &[Group<'_>]) -> bool {
        let profiles: BTreeSet<i64> = groups.iter().map(|group| group.profile).collect();
        let answers_depend_on_address = profiles.len() < groups.len();
        let all: u64 = groups.iter().map(|group| group.mailboxes).sum();
        let is_few = self.parts.len() <= SINGLE_AT_MOST && (self.parts.len() as u64) * 2 < all;
        answers_depend_on_address && is_few && self.parts.iter().all(|part| part.group.mailboxes == 1)
    }
}

fn sighting(parts: &[Part<'_>], is_complete: bool, advise: &dyn Fn(Hosting) -> String) -> Sighting {
    let verdict = parts.iter().map(|part| part.client.verdict).max();
    // the words of most of those with the gravest verdict; the first of equals
    let of_verdict = parts.iter().filter(|part| Some(part.client.verdict) == verdict);
    let spokesman = of_verdict.rev().max_by_key(|part| part.group.mailboxes);
    Sighting {
        verdict,
        severity: verdict.map_or(Severity::Info, Severity::of),
        affected: parts.iter().map(|part| part.group.mailboxes).sum(),
        is_complete,
        account: spokesman.map(|part| account(part, advise(part.group.outcome.hosting))).unwrap_or_default(),
    }
}

fn account(part: &Part<'_>, advice: String) -> Account {
    let client = part.client;
    let servers = client.settings.servers().map(server_in_words).collect();
    Account {
        explanation: client.explanation.clone(),
        lookup: client.source.as_ref().map(|source| source.lookup),
        asked: client.source.as_ref().map(|source| source.asked.clone()),
        evidence: client.evidence.clone(),
        servers,
        advice: Some(advice),
    }
}

fn server_in_words(server: &Server) -> String {
    format!("{} {}:{}", server.protocol.as_str().to_uppercase(), server.host, server.port)
}

/// An incident for which nothing is found now.
fn without_finding(groups: &[Group<'_>], client: &str, cause: Cause) -> Seen {
    let own = |group: &Group<'_>| group.outcome.clients.iter().any(|outcome| outcome.client == client && outcome.audited);
    if groups.is_empty() {
        return Seen::Gone("The domain is no longer on the list.");
    }
    if !groups.iter().any(own) {
        return Seen::Gone("The client is no longer audited for this domain.");
    }
    let still_inferred = |group: &Group<'_>| {
        let mut clients = group.outcome.clients.iter();
        clients.any(|outcome| outcome.client == client && outcome.cause == Some(cause) && outcome.inferred && outcome.verdict.is_finding())
    };
    // an endpoint that has begun to ask for credentials hides what it says, and mends nothing
    if is_doubtful(groups, client) || groups.iter().any(still_inferred) { Seen::Unknown } else { Seen::Absent }
}

/// Whether any mailbox's verdict for a client could not be told.
fn is_doubtful(groups: &[Group<'_>], client: &str) -> bool {
    let mut outcomes = groups.iter().flat_map(|group| &group.outcome.clients);
    outcomes.any(|outcome| outcome.client == client && outcome.audited && outcome.verdict == Verdict::Undetermined)
}

/// More mailboxes than this with a cause of their own are the domain's matter.
const SINGLE_AT_MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IncidentState, LookupKind, Source};

    fn tenant() -> TenantId {
        "contoso".to_owned().try_into().unwrap()
    }

    fn domain() -> Domain {
        Domain::parse("contoso.com").unwrap()
    }

    fn client(verdict: Verdict, cause: Option<Cause>) -> ClientOutcome {
        ClientOutcome {
            cause,
            explanation: format!("it is {verdict}"),
            source: Some(Source { lookup: LookupKind::Ispdb, asked: "https://ispdb".into() }),
            ..ClientOutcome::bare("thunderbird", verdict)
        }
    }

    fn outcome(clients: Vec<ClientOutcome>) -> Outcome {
        Outcome { needs_manual_configuration: true, clients, ..Outcome::default() }
    }

    fn address(local: usize) -> Address {
        format!("user{local}@contoso.com").parse().unwrap()
    }

    fn advise(_: &str, cause: Cause, _: &Domain, _: Hosting) -> String {
        format!("mend {cause}")
    }

    /// Profile, outcome, mailboxes: seen with these incidents standing.
    fn see(groups: &[(i64, &Outcome, u64)], standing: &[&Incident]) -> Vec<(Concern, Seen)> {
        let addresses: Vec<Address> = (0..groups.len()).map(address).collect();
        let groups: Vec<Group<'_>> = groups
            .iter()
            .zip(&addresses)
            .map(|(&(profile, outcome, mailboxes), example)| Group { profile, outcome, mailboxes, example })
            .collect();
        observe((&tenant(), &domain()), &groups, standing, &advise)
    }

    fn finding(cause: Cause, mailbox: Option<String>) -> Concern {
        Concern::Finding { tenant: tenant(), domain: domain(), client: "thunderbird".into(), cause, mailbox }
    }

    fn incident(concern: &Concern) -> Incident {
        let sighting = Sighting {
            verdict: Some(Verdict::Consumer),
            severity: Severity::Error,
            affected: 1,
            is_complete: true,
            account: Account::default(),
        };
        let policy = super::super::Policy { confirm: 1, ..Default::default() };
        let moment = super::super::Moment { at: 0, policy: &policy, is_exempt: false };
        let incident = super::super::decide(None, concern, &Seen::Present(sighting), moment).unwrap().incident;
        assert_eq!(incident.state, IncidentState::Open);
        incident
    }

    fn present(seen: &Seen) -> &Sighting {
        match seen {
            Seen::Present(sighting) => sighting,
            other => panic!("{other:?}"),
        }
    }

    const STALE: Cause = Cause::OwnAutoconfigStale;

    #[test]
    fn ten_thousand_mailboxes_of_one_cause_are_one_finding() {
        let (bad, worse) = (outcome(vec![client(Verdict::Foreign, Some(STALE))]), outcome(vec![client(Verdict::Consumer, Some(STALE))]));
        let seen = see(&[(1, &bad, 9_000), (2, &worse, 1_000)], &[]);
        let [(concern, one)] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(concern, &finding(STALE, None));
        let sighting = present(one);
        assert_eq!((sighting.verdict, sighting.affected, sighting.is_complete), (Some(Verdict::Consumer), 10_000, true));
        assert_eq!(sighting.account.explanation, "it is consumer");
        assert_eq!(sighting.account.advice.as_deref(), Some("mend own-autoconfig-stale"));
    }

    #[test]
    fn what_is_inferred_or_not_audited_or_fine_alerts_nobody() {
        let inferred = ClientOutcome { inferred: true, ..client(Verdict::Consumer, Some(STALE)) };
        let at_risk = ClientOutcome { audited: false, ..client(Verdict::Consumer, Some(STALE)) };
        let fragile = ClientOutcome { fragile: true, ..client(Verdict::Ok, Some(STALE)) };
        let doubtful = client(Verdict::Undetermined, Some(Cause::LookupFailed));
        for quiet in [inferred, at_risk, fragile, doubtful] {
            assert_eq!(see(&[(1, &outcome(vec![quiet]), 5)], &[]), []);
        }
    }

    #[test]
    fn a_cause_of_single_mailboxes_is_their_own() {
        let fine = outcome(vec![client(Verdict::Ok, None)]);
        let own = outcome(vec![client(Verdict::Foreign, Some(Cause::AutodiscoverRedirect))]);
        let seen = see(&[(1, &fine, 50), (1, &own, 1)], &[]);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].0, finding(Cause::AutodiscoverRedirect, Some("user1@contoso.com".into())));
        // two profiles with an outcome each: the answers do not depend on the address
        assert_eq!(see(&[(1, &fine, 50), (2, &own, 1)], &[])[0].0, finding(Cause::AutodiscoverRedirect, None));
        // an incident of the domain goes on as such
        let standing = incident(&finding(Cause::AutodiscoverRedirect, None));
        assert_eq!(see(&[(1, &fine, 50), (1, &own, 1)], &[&standing])[0].0, finding(Cause::AutodiscoverRedirect, None));
    }

    #[test]
    fn an_incident_without_a_finding_is_over_unless_someone_is_in_doubt_or_gone() {
        let standing = incident(&finding(STALE, None));
        let fine = outcome(vec![client(Verdict::Ok, None)]);
        let doubtful = outcome(vec![client(Verdict::Undetermined, Some(Cause::LookupFailed))]);
        let guarded = outcome(vec![ClientOutcome { inferred: true, ..client(Verdict::Consumer, Some(STALE)) }]);
        let unaudited = outcome(vec![ClientOutcome { audited: false, ..client(Verdict::Ok, None) }]);
        for (groups, expected) in [
            (vec![(1, &fine, 5)], Seen::Absent),
            (vec![(1, &fine, 5), (1, &doubtful, 1)], Seen::Unknown),
            (vec![(1, &guarded, 5)], Seen::Unknown),
            (vec![(1, &unaudited, 5)], Seen::Gone("The client is no longer audited for this domain.")),
            (vec![], Seen::Gone("The domain is no longer on the list.")),
        ] {
            assert_eq!(see(&groups, &[&standing]), [(finding(STALE, None), expected)]);
        }
    }

    #[test]
    fn a_finding_beside_doubt_is_not_complete() {
        let (bad, doubtful) = (
            outcome(vec![client(Verdict::Consumer, Some(STALE))]),
            outcome(vec![client(Verdict::Undetermined, Some(Cause::LookupFailed))]),
        );
        let seen = see(&[(1, &bad, 3), (1, &doubtful, 4)], &[]);
        assert_eq!((present(&seen[0].1).affected, present(&seen[0].1).is_complete), (3, false));
    }
}
