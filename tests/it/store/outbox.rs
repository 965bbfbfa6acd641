//! The outbox: order, extension, leases, and what is never told twice or not at all.

use autodiscover_audit::{
    model::{Change, Notice, Numbers},
    store::{Conclusion, Fate, Settled},
};

use super::{
    incident::{all_to, opened, told},
    *,
};

impl Site {
    async fn lease(&self, channel: &str, now: i64) -> Option<Notice> {
        self.store.lease(channel, &[all_to("ops"), all_to("team")], (now, now + 60)).await.unwrap()
    }
}

fn changes(notice: &Notice) -> Vec<Change> {
    notice.events.iter().map(|event| event.change).collect()
}

#[tokio::test]
async fn what_happened_is_told_to_every_channel_once() {
    let mut site = Site::new().await;
    let destinations = [all_to("ops"), all_to("team")];
    site.conclude(&[told(opened("contoso.com", 1_100), Change::Opened)], &destinations).await;
    for channel in ["ops", "team"] {
        let notice = site.lease(channel, 2_000).await.unwrap();
        assert_eq!(
            (notice.channel.as_str(), notice.tenant.as_ref(), notice.tenant_name.as_str()),
            (channel, Some(&site.tenant), "Contoso Ltd")
        );
        assert_eq!((changes(&notice), notice.attempts, notice.created_at), (vec![Change::Opened], 0, 1_100));
        assert_eq!(notice.numbers, Some(Numbers { checked: 2, ok: 0, needs_manual: 2, undetermined: 0 }));
        assert_eq!(notice.open_in_group, [("finding/contoso/thunderbird/mx-base-domain".to_owned(), 1)]);
        assert!(notice.id.chars().all(|character| character.is_ascii_alphanumeric()), "{}", notice.id);
        assert_eq!(site.lease(channel, 2_000).await, None, "it is on its way");
        for _ in 0..2 {
            assert_eq!(site.store.settle(&notice.id, &Fate::Delivered, 2_001).await.unwrap(), Settled::Delivered);
        }
        assert_eq!(site.lease(channel, 9_000).await, None);
    }
    site.assert_sound().await;
}

#[test]
fn the_service_can_move_its_work_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let _: fn(&'static Store, Conclusion<'static>) = |store, conclusion| {
        assert_send(&store.conclude_tenant(conclusion));
        assert_send(&store.conclude_ours(&[], &[], 0));
        assert_send(&store.lease("ops", &[], (0, 0)));
        assert_send(&store.settle("1", &Fate::Delivered, 0));
        assert_send(&store.reader().read_groups(conclusion.tenant, None, |_, _| ControlFlow::Continue(())));
    };
}
