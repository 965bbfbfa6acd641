//! The second pass: domains that came out in doubt, because lookups failed, are gone through once more after all others. Until then
//! nothing of them is recorded, so that a run that dies in between asks about them when it is resumed.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use super::{
    Auditor, Progress, RunError, RunOptions, TenantJob,
    domain::Errand,
    place::{Keep, Outlet},
};

/// A domain that came out in doubt, with what the first pass found.
pub(super) struct Doubt(Outlet);

impl Doubt {
    /// What an outlet has kept back.
    pub(super) fn of(outlet: Outlet) -> Option<Self> {
        (!outlet.kept.is_empty()).then_some(Self(outlet))
    }

    pub(super) fn mailboxes(&self) -> u64 {
        self.0.kept.iter().map(|block| block.range.len() as u64).sum()
    }

    /// What the second pass finds is recorded where it leaves no doubt, otherwise what the first one found.
    async fn resolve(mut self, auditor: &Auditor, (options, jobs): (&RunOptions, &[TenantJob])) {
        let (place, list, sender) = (self.0.place.clone(), self.0.list, self.0.sender.clone());
        let mailboxes = place.mailboxes(jobs);
        let recorded = self.0.kept.first().map_or(0, |block| block.range.start);
        let mut second = Outlet { place: place.clone(), list, sender, keep: Keep::All, kept: Vec::new() };
        if let (Some(tenant), Some(first)) = (place.tenant(jobs), mailboxes.first()) {
            let errand = Errand { tenant, domain: first.address.domain(), mailboxes, recorded };
            auditor.find_out(&errand, &options.stop, &mut second).await;
        }
        let is_whole = second.kept.last().is_some_and(|block| block.range.end == mailboxes.len());
        if is_whole && !second.kept.iter().any(|block| block.in_doubt) {
            second.release().await;
        } else {
            self.0.release().await;
        }
    }
}

/// Goes through the doubtful domains once more, for a while, unless they are half of all: the failure is then our own. Whatever is
/// not gone through is recorded as it is.
pub(super) async fn ask_again(
    auditor: &Arc<Auditor>,
    jobs: &Arc<Vec<TenantJob>>,
    (options, progress): (&RunOptions, &Progress),
    (doubts, domains): (Vec<Doubt>, usize),
) -> Result<(), RunError> {
    let is_theirs = doubts.len() * 2 < domains;
    if is_theirs && !doubts.is_empty() && !options.stop.is_cancelled() {
        tracing::info!(domains = doubts.len(), mailboxes = progress.tally().set_aside, "lookups failed: once more");
        auditor.network.forget_failures().await;
    }
    let (mut tasks, until) = (JoinSet::new(), Instant::now() + SECOND_PASS);
    for mut doubt in doubts {
        while tasks.len() >= options.domains_at_once.max(1) {
            tasks.join_next().await.transpose()?.inspect(|mailboxes| progress.take_up(*mailboxes));
        }
        let mailboxes = doubt.mailboxes();
        if is_theirs && !options.stop.is_cancelled() && Instant::now() < until {
            let (auditor, jobs, options) = (auditor.clone(), jobs.clone(), options.clone());
            tasks.spawn(async move {
                doubt.resolve(&auditor, (&options, &jobs)).await;
                mailboxes
            });
        } else {
            doubt.0.release().await;
            progress.take_up(mailboxes);
        }
    }
    while let Some(ended) = tasks.join_next().await {
        progress.take_up(ended?);
    }
    Ok(())
}

/// Within this time domains are gone through again.
const SECOND_PASS: Duration = Duration::from_mins(10);
