//! The outbox: order, extension, leases, and what is never told twice or not at all.

use autodiscover_audit::{
    model::{Change, Concern, Incident, Notice, Numbers, Severity},
    store::{Conclusion, Destination, Fate, Queue, Retention, Settled},
};

use super::{
    incident::{all_to, muted, opened, ours, resolved, told},
    *,
};

/// Long enough for everything that is taken in these tests.
const LEASE: i64 = 60;

impl Site {
    async fn take(&self, now: i64) -> Option<Notice> {
        self.take_for(&[all_to("ops")], now).await
    }

    async fn take_for(&self, destinations: &[Destination], now: i64) -> Option<Notice> {
        self.store.lease("ops", destinations, (now, now + LEASE)).await.unwrap()
    }

    /// Something happens to an incident, of which `ops` is told.
    async fn happen(&self, incident: Incident, change: Change, at: i64) {
        self.store.conclude_ours(&[told(incident, change)], &[all_to("ops")], at).await.unwrap();
    }

    async fn settle(&self, notice: &Notice, fate: Fate, now: i64) -> Settled {
        self.store.settle(&notice.id, &fate, now).await.unwrap()
    }

    async fn queue(&self) -> Queue {
        self.store.reader().outbox().await.unwrap().into_iter().find(|queue| queue.channel == "ops").unwrap_or_default()
    }
}

fn changes(notice: &Notice) -> Vec<Change> {
    notice.events.iter().map(|event| event.change).collect()
}

/// A failure after which the channel certainly has nothing.
fn refused(next_at: i64) -> Fate {
    Fate::Retry { next_at, error: "connection refused".into(), is_definite: true, give_up_before: 0 }
}

/// A failure after which it may have it.
fn silent(next_at: i64) -> Fate {
    Fate::Retry { next_at, error: "no answer".into(), is_definite: false, give_up_before: 0 }
}

#[tokio::test]
async fn what_happened_is_told_to_every_channel_once() {
    let mut site = Site::new().await;
    let destinations = [all_to("ops"), all_to("team")];
    site.conclude(&[told(opened("contoso.com", 1_100), Change::Opened)], &destinations).await;
    for channel in ["ops", "team"] {
        let notice = site.store.lease(channel, &destinations, (2_000, 2_060)).await.unwrap().unwrap();
        assert_eq!((notice.channel.as_str(), notice.tenant.as_ref()), (channel, Some(&site.tenant)));
        assert_eq!((changes(&notice), notice.attempts, notice.created_at), (vec![Change::Opened], 0, 1_100));
        assert_eq!(notice.tenant_name, "Contoso Ltd");
        assert_eq!(notice.numbers, Some(Numbers { checked: 2, ok: 0, needs_manual: 2, undetermined: 0 }));
        assert_eq!(notice.open_in_group, [("finding/contoso/thunderbird/mx-base-domain".to_owned(), 1)]);
        assert!(notice.id.chars().all(|character| character.is_ascii_alphanumeric()), "{}", notice.id);
        assert_eq!(site.store.lease(channel, &destinations, (2_000, 2_060)).await.unwrap(), None, "it is on its way");
        for _ in 0..2 {
            assert_eq!(site.settle(&notice, Fate::Delivered, 2_001).await, Settled::Delivered);
        }
        assert_eq!(site.store.lease(channel, &destinations, (9_000, 9_060)).await.unwrap(), None);
    }
    assert_eq!(site.queue().await, Queue { channel: "ops".into(), delivered_at: Some(2_001), ..Queue::default() });
    site.assert_sound().await;
}

#[tokio::test]
async fn what_waits_takes_in_what_comes_and_keeps_its_id_while_it_is_untried() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    site.happen(opened("fabrikam.com", 20), Change::Opened, 20).await;
    site.happen(resolved(opened("contoso.com", 10), 30), Change::Resolved, 30).await;
    let notice = site.take(40).await.unwrap();
    assert_eq!(changes(&notice), [Change::Opened, Change::Opened, Change::Resolved]);
    assert!(notice.events.is_sorted_by_key(|event| event.id));
    assert_eq!(notice.created_at, 10);
    // of two incidents of the group, one is still open
    assert_eq!(notice.open_in_group, [("finding/contoso/thunderbird/mx-base-domain".to_owned(), 1)]);
}

#[tokio::test]
async fn what_opened_and_resolved_while_a_channel_was_down_is_one_notice_under_another_id() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let first = site.take(20).await.unwrap();
    assert_eq!(site.settle(&first, refused(30), 21).await, Settled::Queued);
    site.happen(resolved(opened("contoso.com", 10), 25), Change::Resolved, 25).await;
    assert_eq!(site.take(29).await, None, "the pause is kept");
    let second = site.take(30).await.unwrap();
    assert_eq!(changes(&second), [Change::Opened, Change::Resolved]);
    assert_eq!((second.attempts, second.created_at), (1, 10));
    assert_ne!(second.id, first.id, "other bytes under an id that the channel may know");
    assert_eq!(site.settle(&first, Fate::Delivered, 31).await, Settled::Unknown);
    assert_eq!(site.settle(&second, refused(40), 31).await, Settled::Queued);
    let third = site.take(40).await.unwrap();
    assert_eq!((&third.id, third.attempts), (&second.id, 2), "the same bytes keep their id");
}

#[tokio::test]
async fn what_may_have_arrived_is_sent_again_word_for_word() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let first = site.take(20).await.unwrap();
    assert_eq!(site.settle(&first, silent(30), 21).await, Settled::Queued);
    // meanwhile it resolves, and the tenant gets another name
    site.happen(resolved(opened("contoso.com", 10), 25), Change::Resolved, 25).await;
    site.store.begin_run(&[(site.tenant.clone(), "Contoso AG".into(), 0)], 26).await.unwrap();
    let second = site.take(30).await.unwrap();
    assert_eq!(second, Notice { attempts: 1, ..first.clone() });
    // that it certainly did not arrive this time says nothing of the first
    assert_eq!(site.settle(&second, refused(40), 31).await, Settled::Queued);
    let quiet = Destination { least: Severity::Critical, ..all_to("ops") };
    let third = site.take_for(std::slice::from_ref(&quiet), 40).await.unwrap();
    assert_eq!(third, Notice { attempts: 2, ..first });
    assert_eq!(site.take(40).await, None, "what came later waits its turn");
    assert_eq!(site.settle(&third, Fate::Delivered, 41).await, Settled::Delivered);
    let later = site.take(41).await.unwrap();
    assert_eq!((changes(&later), later.tenant_name.as_str()), (vec![Change::Resolved], "Contoso AG"));
    assert_eq!(later.open_in_group, [("finding/contoso/thunderbird/mx-base-domain".to_owned(), 0)]);
}

#[tokio::test]
async fn a_lease_ends_by_time_or_with_its_process_and_the_notice_stays_as_it_was() {
    let mut site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let first = site.take(20).await.unwrap();
    assert_eq!(site.store.expire_leases(20 + LEASE - 1).await.unwrap(), 0);
    assert_eq!(site.store.expire_leases(20 + LEASE).await.unwrap(), 1);
    let second = site.take(100).await.unwrap();
    assert_eq!(second, Notice { attempts: 1, ..first.clone() });
    site.happen(opened("fabrikam.com", 110), Change::Opened, 110).await;
    // the process dies
    let path = site.path();
    drop(site.store);
    site.store = Store::open(&path).await.unwrap();
    let third = site.take(101).await.unwrap();
    assert_eq!(third, Notice { attempts: 2, ..first });
    // an answer that comes after the lease has ended counts
    assert_eq!(site.store.expire_leases(i64::MAX).await.unwrap(), 1);
    assert_eq!(site.settle(&third, Fate::Delivered, 300).await, Settled::Delivered);
    assert_eq!(changes(&site.take(300).await.unwrap()), [Change::Opened]);
}

#[tokio::test]
async fn what_was_put_off_is_known_after_a_restart() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 1_100), Change::Opened, 1_100).await;
    assert_eq!(site.store.reader().put_off("ops").await.unwrap(), Vec::<i64>::new(), "it can go at once");
    let notice = site.take(1_200).await.unwrap();
    site.settle(&notice, refused(1_500), 1_201).await;
    assert_eq!(site.store.reader().put_off("ops").await.unwrap(), [1_500]);
    assert_eq!(site.store.reader().put_off("team").await.unwrap(), Vec::<i64>::new());
    let notice = site.take(1_500).await.unwrap();
    site.settle(&notice, Fate::Delivered, 1_501).await;
    assert_eq!(site.store.reader().put_off("ops").await.unwrap(), Vec::<i64>::new());
}

#[tokio::test]
async fn one_tenant_does_not_hold_up_another() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    site.happen(ours(Concern::Outage, 20), Change::Opened, 20).await;
    site.happen(ours(Concern::Run { tenant: tenant("fabrikam") }, 30), Change::Opened, 30).await;
    let first = site.take(40).await.unwrap();
    assert_eq!(first.tenant, Some(site.tenant.clone()), "the oldest first");
    site.settle(&first, refused(1_000), 41).await;
    let second = site.take(42).await.unwrap();
    assert_eq!((second.tenant.as_ref(), second.tenant_name.as_str(), second.numbers), (None, "autodiscover-audit", None));
    let third = site.take(42).await.unwrap();
    assert_eq!((third.tenant, third.tenant_name.as_str()), (Some(tenant("fabrikam")), "fabrikam"));
    assert_eq!(site.take(999).await, None);
    assert_eq!(site.take(1_000).await.unwrap().id, first.id);
}

#[tokio::test]
async fn nothing_clears_a_pause_that_a_channel_asked_for() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let notice = site.take(20).await.unwrap();
    site.store.hold_channel("ops", 1_000).await.unwrap();
    site.store.hold_channel("ops", 500).await.unwrap();
    site.settle(&notice, refused(30), 21).await;
    site.store.pause_channel("ops", "401", (22, 40)).await.unwrap();
    site.store.retry_channel(None).await.unwrap();
    assert_eq!(site.take(999).await, None);
    assert_eq!(site.queue().await.not_before, 1_000);
    let again = site.take(1_000).await.unwrap();
    site.store.hold_channel("ops", 2_000).await.unwrap();
    site.settle(&again, Fate::Delivered, 1_001).await;
    site.happen(opened("fabrikam.com", 1_002), Change::Opened, 1_002).await;
    assert_eq!(site.take(1_999).await, None);
    assert!(site.take(2_000).await.is_some());
}

#[tokio::test]
async fn a_channel_that_refuses_everything_keeps_its_queue_and_is_tried_now_and_then() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let notice = site.take(20).await.unwrap();
    site.settle(&notice, refused(5_000), 21).await;
    site.store.pause_channel("ops", "404", (21, 3_600)).await.unwrap();
    site.store.pause_channel("ops", "410", (22, 3_601)).await.unwrap();
    site.happen(ours(Concern::Outage, 30), Change::Opened, 30).await;
    assert_eq!(site.take(3_600).await, None);
    let paused = Queue {
        channel: "ops".into(),
        waiting: 2,
        oldest_at: Some(10),
        last_error: Some("connection refused".into()),
        paused_at: Some(21),
        pause_reason: Some("410".into()),
        retry_at: Some(3_601),
        ..Queue::default()
    };
    assert_eq!(site.queue().await, paused);
    site.store.retry_channel(Some("team")).await.unwrap();
    assert_eq!(site.take(3_600).await, None, "another was meant");
    site.store.retry_channel(Some("ops")).await.unwrap();
    let again = site.take(100).await.unwrap();
    assert_eq!(again.id, notice.id);
    assert_eq!(site.queue().await.paused_at, Some(21), "until it takes something");
    site.settle(&again, Fate::Delivered, 101).await;
    assert_eq!(
        site.queue().await,
        Queue { channel: "ops".into(), waiting: 1, oldest_at: Some(30), delivered_at: Some(101), ..Queue::default() }
    );
    assert!(site.take(101).await.is_some());
}

#[tokio::test]
async fn what_could_not_be_told_for_too_long_is_given_up_and_what_is_newer_goes_on() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let first = site.take(20).await.unwrap();
    site.settle(&first, refused(30), 21).await;
    site.happen(opened("fabrikam.com", 1_000), Change::Opened, 1_000).await;
    let late = |give_up_before| Fate::Retry { next_at: 2_000, error: "refused".into(), is_definite: true, give_up_before };
    let second = site.take(1_001).await.unwrap();
    assert_eq!(site.settle(&second, late(10), 1_002).await, Settled::Queued);
    let second = site.take(2_000).await.unwrap();
    assert_eq!(changes(&second).len(), 2);
    assert_eq!(site.settle(&second, late(11), 2_001).await, Settled::Dead);
    assert_eq!((site.queue().await.waiting, site.queue().await.dead, site.queue().await.oldest_at), (1, 1, Some(1_000)));
    let third = site.take(2_002).await.unwrap();
    assert_ne!(third.id, second.id);
    assert_eq!((third.events.len(), third.events[0].at, third.created_at, third.attempts), (1, 1_000, 1_000, 3));
    assert_eq!(site.settle(&third, late(1_001), 2_003).await, Settled::Dead);
    assert_eq!((site.queue().await.waiting, site.queue().await.dead), (0, 2));
    assert_eq!(site.take(9_000).await, None);
}

#[tokio::test]
async fn what_may_have_arrived_is_given_up_as_a_whole_or_not_at_all() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    site.happen(opened("fabrikam.com", 1_000), Change::Opened, 1_000).await;
    let silent = |give_up_before| Fate::Retry { next_at: 0, error: "no answer".into(), is_definite: false, give_up_before };
    let notice = site.take(1_001).await.unwrap();
    assert_eq!(site.settle(&notice, silent(11), 1_002).await, Settled::Queued);
    let again = site.take(1_003).await.unwrap();
    assert_eq!(again, Notice { attempts: 1, ..notice });
    assert_eq!(site.settle(&again, silent(1_001), 1_004).await, Settled::Dead);
}

#[tokio::test]
async fn a_notice_that_is_never_to_be_delivered_makes_room_for_the_next() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    let first = site.take(20).await.unwrap();
    site.happen(opened("fabrikam.com", 30), Change::Opened, 30).await;
    for _ in 0..2 {
        assert_eq!(site.settle(&first, Fate::Dead { error: "413".into() }, 31).await, Settled::Dead);
    }
    assert_eq!(site.settle(&first, Fate::Delivered, 32).await, Settled::Dead);
    assert_eq!(changes(&site.take(40).await.unwrap()), [Change::Opened]);
    assert_eq!((site.queue().await.dead, site.queue().await.waiting), (1, 1));
}

#[tokio::test]
async fn what_is_muted_or_routed_nowhere_is_logged_and_not_told() {
    let site = Site::new().await;
    let grave = Destination { least: Severity::Critical, ..all_to("ops") };
    site.store.conclude_ours(&[muted(opened("contoso.com", 10), Change::Opened)], &[all_to("ops")], 10).await.unwrap();
    site.store.conclude_ours(&[told(opened("fabrikam.com", 10), Change::Opened)], std::slice::from_ref(&grave), 10).await.unwrap();
    assert_eq!(site.store.reader().outbox().await.unwrap(), []);
    // between what is told, too; and the routes of the moment of sending count
    site.happen(opened("tailspin.com", 20), Change::Opened, 20).await;
    site.store.conclude_ours(&[muted(opened("contoso.com", 10), Change::Grown)], &[all_to("ops")], 30).await.unwrap();
    site.happen(resolved(opened("tailspin.com", 20), 40), Change::Resolved, 40).await;
    let notice = site.take(50).await.unwrap();
    assert_eq!(changes(&notice), [Change::Opened, Change::Resolved]);
    site.settle(&notice, refused(60), 51).await;
    assert_eq!(site.take_for(std::slice::from_ref(&grave), 60).await, None);
    assert_eq!((site.queue().await.waiting, site.queue().await.dead), (0, 0));
    assert_eq!(site.take(70).await, None, "it has ended");
}

#[tokio::test]
async fn who_was_told_of_the_worst_is_told_of_the_end() {
    let site = Site::new().await;
    let grave = [Destination { least: Severity::Error, ..all_to("ops") }];
    let milder = Incident { severity: Severity::Warning, ..opened("contoso.com", 10) };
    let next_time = Incident { episode: 2, ..milder.clone() };
    for (incident, change, at) in [
        (opened("contoso.com", 10), Change::Opened, 10),
        (milder.clone(), Change::Changed, 20),
        (resolved(milder, 30), Change::Resolved, 30),
        (next_time.clone(), Change::Opened, 40),
        (resolved(next_time, 50), Change::Resolved, 50),
    ] {
        site.store.conclude_ours(&[told(incident, change)], &grave, at).await.unwrap();
    }
    let notice = site.take_for(&grave, 60).await.unwrap();
    assert_eq!(changes(&notice), [Change::Opened, Change::Changed, Change::Resolved]);
    assert_eq!(notice.events[2].severity, Severity::Warning, "what is said is what is");
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_no_more_is_given_up() {
    let site = Site::new().await;
    site.happen(opened("contoso.com", 10), Change::Opened, 10).await;
    site.store.pause_channel("ops", "404", (11, 12)).await.unwrap();
    assert_eq!(site.store.drop_channels_except(&["ops"], 20).await.unwrap(), 0);
    assert_eq!(site.store.drop_channels_except(&["team"], 20).await.unwrap(), 1);
    assert_eq!(site.queue().await, Queue { channel: "ops".into(), dead: 1, ..Queue::default() });
    assert_eq!(site.take(30).await, None);
}

#[test]
fn the_service_can_move_its_work_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let _: fn(&'static Store, Conclusion<'static>) = |store, conclusion| {
        assert_send(&store.conclude_tenant(conclusion));
        assert_send(&store.conclude_ours(&[], &[], 0));
        assert_send(&store.lease("ops", &[], (0, 0)));
        assert_send(&store.settle("1", &Fate::Delivered, 0));
        assert_send(&store.clear_old(&Retention::default(), 0));
        assert_send(&store.reader().read_groups(conclusion.tenant, None, |_, _| ControlFlow::Continue(())));
    };
}
