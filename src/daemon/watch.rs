//! Watches the lists: what is new or changed in them is looked at soon, and a list that was missing is gone through once it is back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    list::{Content, Look},
    plant::Post,
    service::Service,
};
use crate::model::{Domain, TenantId};

/// What the watcher tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// These domains are new, or other than when they were last gone through.
    Changed(TenantId, BTreeSet<Domain>),
    /// A list that could not be used can be.
    Mended(TenantId),
}

/// Who watches, and what he last saw.
pub(super) struct Watcher {
    service: Arc<Service>,
    news: mpsc::Sender<News>,
    seen: mpsc::Receiver<(TenantId, Option<Content>)>,
    lists: BTreeMap<TenantId, Known>,
}

/// A list as it was last seen.
struct Known {
    look: Look,
    /// `None`: it could not be used.
    content: Option<Content>,
}

impl Watcher {
    pub(super) fn new(service: Arc<Service>, news: mpsc::Sender<News>, seen: mpsc::Receiver<(TenantId, Option<Content>)>) -> Self {
        Self { service, news, seen, lists: BTreeMap::new() }
    }

    /// Watches until the service is to stop.
    pub(super) async fn watch(mut self) {
        loop {
            for post in &self.service.plant().posts {
                self.look_at(post).await;
            }
            tokio::select! {
                () = self.service.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.service.look.notified() => {}
                Some((tenant, content)) = self.seen.recv() => {
                    if let Some(post) = self.service.plant().post(&tenant) {
                        self.lists.insert(tenant, Known { look: Look::at(&post.list), content });
                    }
                }
            }
        }
    }

    async fn look_at(&mut self, post: &Post) {
        let (tenant, look) = (&post.tenant.id, Look::at(&post.list));
        let Some(known) = self.lists.get(tenant) else {
            let content = self.read(post).await;
            self.lists.insert(tenant.clone(), Known { look, content });
            return;
        };
        if known.look == look {
            return;
        }
        // whoever writes it may not have ended
        tokio::time::sleep(SETTLE).await;
        if Look::at(&post.list) != look {
            self.service.look.notify_one();
            return;
        }
        // the next run says what is wrong with it
        let Some(content) = self.read(post).await else { return };
        let news = match &known.content {
            None => Some(News::Mended(tenant.clone())),
            Some(before) => Some(content.changed_since(before))
                .filter(|domains| !domains.is_empty())
                .map(|domains| News::Changed(tenant.clone(), domains)),
        };
        if let Some(news) = news {
            match &news {
                News::Changed(_, domains) => tracing::info!(%tenant, domains = domains.len(), "the list has changed"),
                News::Mended(_) => tracing::info!(%tenant, "the list can be read again"),
            }
            // a scheduler that is busy keeps the watcher waiting, and a service that stops lets go of both
            tokio::select! {
                () = self.service.stop.cancelled() => return,
                sent = self.news.send(news) => drop(sent),
            }
        }
        self.lists.insert(tenant.clone(), Known { look, content: Some(content) });
    }
}

impl Watcher {
    async fn read(&self, post: &Post) -> Option<Content> {
        let list = self.service.read(&post.list, self.service.plant().clients.names()).await.ok()?;
        Some(Content::of(&list.mailboxes))
    }
}

const LOOK_EVERY: Duration = Duration::from_mins(1);
const SETTLE: Duration = Duration::from_millis(500);
