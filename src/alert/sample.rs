//! Notices for the tests of this room.

use std::collections::BTreeMap;

use super::phrase::Wording;
use crate::model::{Account, Cause, Change, Concern, Domain, Event, IncidentId, LookupKind, Notice, Numbers, Severity, TenantId, Verdict};

pub(super) fn tenant() -> TenantId {
    "contoso".to_owned().try_into().unwrap()
}

pub(super) fn wording() -> Wording {
    Wording {
        clients: BTreeMap::from([("thunderbird".into(), "Thunderbird".into())]),
        report_url: Some("https://audit.contoso.com/".into()),
    }
}

pub(super) fn event(incident: i64, domain: &str, change: Change, affected: u64) -> Event {
    event_of(incident, domain, change, (Verdict::Consumer, affected))
}

pub(super) fn event_of(incident: i64, domain: &str, change: Change, (verdict, affected): (Verdict, u64)) -> Event {
    let concern = Concern::Finding {
        tenant: tenant(),
        domain: Domain::parse(domain).unwrap(),
        client: "thunderbird".into(),
        cause: Cause::MxBaseDomain,
        mailbox: None,
    };
    Event {
        severity: Severity::of(verdict),
        verdict: Some(verdict),
        affected,
        account: Account {
            explanation: format!(
                "The MX {domain} is reduced to outlook.com, whose entry names imap-mail.outlook.com, of the consumer service."
            ),
            lookup: Some(LookupKind::MxIspdb),
            asked: Some("https://autoconfig.thunderbird.net/v1.1/outlook.com".into()),
            evidence: vec!["MX 0 contoso-com.mail.protection.outlook.com".into()],
            servers: vec!["IMAP imap-mail.outlook.com:993".into(), "SMTP smtp-mail.outlook.com:587".into()],
            advice: Some(format!("Publish the right config-v1.1.xml at https://autoconfig.{domain}/mail/config-v1.1.xml.")),
        },
        ..about_us(incident, concern, change)
    }
}

pub(super) fn about_us(incident: i64, concern: Concern, change: Change) -> Event {
    Event {
        id: incident * 10,
        incident: IncidentId(incident),
        concern,
        change,
        at: 1_795_341_600,
        run: Some(7),
        severity: Severity::Critical,
        verdict: None,
        affected: 0,
        since: 1_795_341_000,
        episode: 1,
        is_open: change != Change::Resolved,
        is_muted: false,
        account: Account { explanation: "Of 120 lookups, 118 failed.".into(), ..Account::default() },
    }
}

pub(super) fn drift(incident: i64, change: Change, affected: u64) -> Event {
    let concern = Concern::Drift { database: "live.thunderbird.net/autoconfig/v1.1".into(), entry: "outlook.com".into() };
    let account = Account {
        explanation: "If this lands, 3,120 mailboxes in 12 domains change from ok to consumer in thunderbird. From \
                      2026-11-01T09:50:00Z to 2026-11-21T09:50:00Z the entry was office365.com: SMTP smtp.office365.com:587 (sha256 \
                      6f1c1b2a3d4e). Since 2026-11-22T09:50:00Z it is hotmail.com: SMTP smtp-mail.outlook.com:587 (sha256 0d7b1b2a3d4e)."
            .into(),
        lookup: Some(LookupKind::Ispdb),
        asked: Some("https://live.thunderbird.net/autoconfig/v1.1/outlook.com".into()),
        ..Account::default()
    };
    Event { affected, account, ..about_us(incident, concern, change) }
}

pub(super) fn notice(events: Vec<Event>) -> Notice {
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        *open.entry(event.concern.group_key()).or_default() += u64::from(event.is_open);
    }
    Notice {
        id: "01j9zw3v5m".into(),
        channel: "ops".into(),
        tenant: Some(tenant()),
        tenant_name: "Contoso Ltd".into(),
        created_at: 1_795_341_660,
        attempts: 0,
        numbers: Some(Numbers { checked: 9_800, ok: 6_600, needs_manual: 3_120, undetermined: 80 }),
        events,
        open_in_group: open.into_iter().collect(),
    }
}

/// So many incidents, with texts that are long and awkward in every format.
pub(super) fn crowd(count: u32) -> Notice {
    let events = (0..count).map(|number| {
        let mut event = event(i64::from(number) + 1, &format!("d{number}.contoso.com"), Change::Opened, u64::from(number) + 1);
        // the gravest are those with the most mailboxes
        if number + HEAVY < count {
            return event;
        }
        event.account.explanation = format!("*Größe* _{number}_ <script>&\"'\\ \u{1f600}\u{202e} {}", "größer\n".repeat(200));
        event.account.evidence = vec!["\u{1f600}".repeat(1_000); 3];
        event
    });
    notice(events.collect())
}

/// Items whose texts are long: more than any format shows in full.
const HEAVY: u32 = 1_200;

/// The numbers of items that every channel is tried with.
pub(super) const CROWDS: [u32; 4] = [0, 1, 10, 100_000];
