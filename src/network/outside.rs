//! Whether our DNS sees the outside. Behind a proxy it may know the names of the inner network alone, or have a view of its own
//! of a domain (split DNS); what it says of a name that does not exist is then no word about the internet.

use hickory_resolver::proto::rr::{RData, RecordType};

use super::{dial::Dialer, dns::host_text, guard::Guard, record::Told};
use crate::model::{AnswerOutcome, Obstacle, Reply};

impl Dialer {
    /// What a proxy that could not deliver leaves open, as all proxies answer alike for a name that does not exist and for a
    /// server that is down: that there is nothing to deliver to, where our own DNS is entitled to say so.
    pub(super) async fn absence_behind_proxy(&self, name: &str) -> Option<Obstacle> {
        if !self.is_proxied(name) {
            return None;
        }
        let obstacle = self.resolver.addresses(name).await.err()?;
        (obstacle.outcome() == AnswerOutcome::Absent && self.sees_outside(name).await).then_some(obstacle)
    }

    /// What our DNS told, or that this cannot be believed: behind a proxy, a missing record counts only where it is seen from outside.
    pub(super) async fn believe(&self, name: &str, (reply, cnames): Told) -> Told {
        let is_missing = matches!(reply, Reply::Obstacle(Obstacle::NxDomain | Obstacle::NoData));
        if is_missing && self.is_proxied(name) && !self.sees_outside(name).await {
            return (Reply::Obstacle(Obstacle::DnsBroken), cnames);
        }
        (reply, cnames)
    }

    /// Whether the closest zone around a name that our DNS knows (the top level, where it must be) is served by name servers of the
    /// internet: in an inner view they have private addresses, and an inner root knows no top level.
    async fn sees_outside(&self, name: &str) -> bool {
        let zones = std::iter::successors(Some(name), |zone| zone.split_once('.').map(|(_, parent)| parent));
        for zone in zones.take(MOST_ZONES) {
            match self.resolver.records(zone, RecordType::NS).await {
                Ok(found) => {
                    let servers = found.map(|data| if let RData::NS(host) = data { Some(host_text(&host.0)) } else { None });
                    return self.are_public(&servers).await;
                }
                Err(Obstacle::NxDomain | Obstacle::NoData) => {}
                Err(_) => return false,
            }
        }
        false
    }

    async fn are_public(&self, servers: &[String]) -> bool {
        let guard = Guard::new(Vec::new());
        let mut any = false;
        for server in servers.iter().take(MOST_SERVERS) {
            let Ok(host) = self.find(server).await else { continue };
            if !host.addresses.iter().all(|address| guard.permits(*address)) {
                return false;
            }
            any = true;
        }
        any
    }
}

/// A hostile name may have a hundred labels.
const MOST_ZONES: usize = 10;
/// The root and the large top levels have 13.
const MOST_SERVERS: usize = 13;
