//! Stored answers judged again by the present clients, endpoints and code. Without the network: there is none in a [`Replay`]. Goes
//! through the mailboxes page by page, and holds one domain's answers at a time.
//!
//! What a client asks now and did not ask then is no change: it could not be told (`not asked`). Neither is anything said of mailboxes
//! whose own answers were not kept.

mod bundle;
mod difference;
mod recount;
mod walk;

pub use difference::{Aspect, Difference};
pub use recount::{Changes, Count, InDomain, Unasked};

pub(super) use bundle::Bundle;
pub(super) use walk::{Part, Walk};

use std::{borrow::Cow, collections::BTreeSet};

use self::recount::Recount;
use crate::{
    classify::EndpointTable,
    clients::ClientTable,
    model::{Authority, Class, Hosting, Outcome, Profile, Tenant, TenantId},
    store::{MailboxRow, Reader, ReportFilter, RunId, StoreError},
};

/// By what stored answers are judged again.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'a> {
    /// The clients that there are now.
    pub clients: &'a ClientTable,
    /// Which host belongs where.
    pub endpoints: &'a EndpointTable,
    /// The tenants of the configuration. One that is not among them is taken to be what its outcomes say.
    pub tenants: &'a [Tenant],
}

/// What is judged again.
#[derive(Debug, Clone)]
pub struct ReplayScope {
    /// As it was after this run.
    pub run: RunId,
    /// Only this tenant's mailboxes.
    pub tenant: Option<TenantId>,
    /// Only these clients; none named: all.
    pub clients: Vec<String>,
}

impl<'a> Replay<'a> {
    /// Judges the answers of a run again, and says what is not as it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn judge(&self, reader: &Reader, scope: &ReplayScope) -> Result<Changes, StoreError> {
        let filter = ReportFilter { tenant: scope.tenant.clone(), run: Some(scope.run), needs_manual: false };
        let (mut walk, mut recount) = (Walk::new(reader, filter), Recount::new(*self, &scope.clients));
        while let Some(part) = walk.next().await? {
            recount.take(part);
        }
        Ok(recount.end())
    }

    /// The tenant of a mailbox: the configuration's, or what its outcome says of it.
    pub(super) fn tenant_of(&self, row: &MailboxRow) -> Cow<'a, Tenant> {
        let configured = self.tenants.iter().find(|tenant| tenant.id == row.tenant);
        configured.map_or_else(|| Cow::Owned(tenant_of_outcome(&row.tenant, (&row.mailbox.profile, &row.outcome))), Cow::Borrowed)
    }
}

fn tenant_of_outcome(id: &TenantId, (profile, outcome): (&Profile, &Outcome)) -> Tenant {
    let is_default = profile.hosting.is_none() && outcome.authority == Authority::Tenant;
    Tenant {
        id: id.clone(),
        name: id.to_string(),
        hosting: if is_default { outcome.hosting } else { Hosting::default() },
        clients: outcome.clients.iter().filter(|client| client.audited).map(|client| client.client.clone()).collect(),
        allowed_hosts: allowed_hosts(outcome),
        manual_settings: Vec::new(),
    }
}

/// Hosts that were right because the tenant said so.
fn allowed_hosts(outcome: &Outcome) -> Vec<String> {
    let next = outcome.clients.iter().filter_map(|client| client.next.as_ref()).flat_map(|next| next.settings.servers());
    let allowed = outcome.servers().chain(next).filter(|server| server.class == Some(Class::Allowed));
    let hosts: BTreeSet<String> = allowed.map(|server| server.host.clone()).collect();
    hosts.into_iter().collect()
}
