//! What stands above the rows: the run, the time, the four numbers.

use serde::Serialize;

use super::row::rfc3339;
use crate::store::{RunId, TenantSummary};

/// What stands above the rows.
#[derive(Debug, Clone, Serialize)]
pub struct Head {
    /// The run that the report shows the state after.
    pub run: Option<i64>,
    /// When it was written, RFC 3339.
    pub generated_at: String,
    /// The four numbers, of all tenants.
    #[serde(skip)]
    pub total: Numbers,
    /// The four numbers, by tenant.
    #[serde(skip)]
    pub tenants: Vec<TenantNumbers>,
}

/// The four numbers. They count mailboxes, whichever the report then shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Numbers {
    /// Have an outcome.
    pub checked: u64,
    /// Need nothing.
    pub ok: u64,
    /// Need manual configuration.
    pub needs_manual_configuration: u64,
    /// Are in doubt.
    pub could_not_check: u64,
}

/// The four numbers of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantNumbers {
    /// The tenant.
    pub tenant: String,
    /// Its name for people.
    pub name: String,
    /// When the last run was finished that went through its whole list, RFC 3339.
    pub finished_at: Option<String>,
    /// Its numbers.
    #[serde(flatten)]
    pub numbers: Numbers,
}

impl Head {
    /// From what the database counted.
    #[must_use]
    pub fn new(run: Option<RunId>, generated_at: i64, summaries: Vec<TenantSummary>) -> Self {
        let tenants: Vec<TenantNumbers> = summaries.into_iter().map(TenantNumbers::from).collect();
        let total = tenants.iter().fold(Numbers::default(), |total, tenant| total.plus(tenant.numbers));
        Self { run: run.map(|run| run.0), generated_at: rfc3339(generated_at), total, tenants }
    }
}

impl Numbers {
    fn plus(self, more: Self) -> Self {
        Self {
            checked: self.checked + more.checked,
            ok: self.ok + more.ok,
            needs_manual_configuration: self.needs_manual_configuration + more.needs_manual_configuration,
            could_not_check: self.could_not_check + more.could_not_check,
        }
    }

    /// The four numbers in one sentence.
    #[must_use]
    pub fn sentence(self) -> String {
        let Self { checked, needs_manual_configuration: by_hand, could_not_check: doubt, .. } = self;
        match (checked, by_hand, doubt) {
            (0, ..) => "No mailbox has been checked yet.".into(),
            (1, 0, 0) => "The one mailbox that was checked needs no manual configuration.".into(),
            (_, 0, 0) => format!("None of the {checked} mailboxes needs manual configuration."),
            (_, 0, _) => format!("No mailbox is known to need manual configuration, but {doubt} of {checked} could not be checked."),
            (_, 1, _) => format!("1 of {checked} mailboxes needs manual configuration."),
            _ => format!("{by_hand} of {checked} mailboxes need manual configuration."),
        }
    }
}

impl From<TenantSummary> for TenantNumbers {
    fn from(summary: TenantSummary) -> Self {
        let TenantSummary { tenant, name, finished_at, checked, ok, needs_manual, undetermined } = summary;
        let numbers = Numbers { checked, ok, needs_manual_configuration: needs_manual, could_not_check: undetermined };
        Self { tenant: tenant.into(), name, finished_at: finished_at.map(rfc3339), numbers }
    }
}
