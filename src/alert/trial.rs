//! A test of a channel: a notice that says what it is, sent at once and past the queue.

use super::{Attempt, Channel, Digest, Wording, channel::Terms};
use crate::{
    clock::Clock,
    model::{Account, Cause, Change, Concern, Domain, Event, IncidentId, Notice, Severity, TenantId, Verdict},
};

/// Sends a marked test to a channel.
pub async fn test_channel(channel: &Channel, wording: &Wording, clock: &Clock) -> Attempt {
    let Some(notice) = notice(channel.name(), clock) else {
        return Attempt::Refused { reason: "no test can be made".to_owned() };
    };
    let digest = Digest { is_test: true, ..Digest::new(&notice, wording) };
    channel.send(&digest, Terms { now: clock.seconds(), is_small: false, attachment: None }).await
}

/// What a finding looks like, for a domain that nobody has (RFC 2606).
fn notice(channel: &str, clock: &Clock) -> Option<Notice> {
    let (at, millis) = (clock.seconds(), clock.now().as_millisecond());
    let tenant = TenantId::try_from("test".to_owned()).ok()?;
    let concern = Concern::Finding {
        tenant: tenant.clone(),
        domain: Domain::parse("example.com").ok()?,
        client: "thunderbird".to_owned(),
        cause: Cause::MxBaseDomain,
        mailbox: None,
    };
    let group = concern.group_key();
    let event = Event {
        id: 0,
        incident: IncidentId(0),
        concern,
        change: Change::Opened,
        at,
        run: None,
        severity: Severity::Info,
        verdict: Some(Verdict::Consumer),
        affected: 3,
        since: at,
        episode: 1,
        is_open: true,
        is_muted: false,
        account: Account {
            explanation: "This is a test of the channel. Nothing has happened, and nothing is to be done.".to_owned(),
            ..Account::default()
        },
    };
    Some(Notice {
        id: format!("test{millis}"),
        channel: channel.to_owned(),
        tenant: Some(tenant),
        tenant_name: "Test".to_owned(),
        created_at: at,
        attempts: 0,
        numbers: None,
        events: vec![event],
        open_in_group: vec![(group, 1)],
    })
}
