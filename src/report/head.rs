//! What stands above the rows: the run, the time, the four numbers.

use serde::Serialize;

use std::ops::ControlFlow;

use super::{InForce, ReportError, Request, row::rfc3339};
use crate::{
    model::counted,
    store::{ReportFilter, RunId, Snapshot, TenantSummary},
};

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
    /// Mailboxes with an outcome, where the numbers are of fewer: of those that the selection shows.
    #[serde(skip)]
    pub out_of: Option<u64>,
    /// The exemptions that hold, as far as the selection goes.
    #[serde(skip)]
    pub in_force: InForce,
}

/// The four numbers. They count mailboxes.
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
    /// The authorities contradict each other on where they live; whatever else is so.
    pub hosting_conflicts: u64,
    /// The address is a personal account, too; whatever else is so.
    pub personal_accounts: u64,
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
        Self {
            run: run.map(|run| run.0),
            generated_at: rfc3339(generated_at),
            total: sum(&tenants),
            tenants,
            out_of: None,
            in_force: InForce::default(),
        }
    }

    /// From the database, as far as the request's filter and its selection of clients and verdicts go.
    ///
    /// # Errors
    /// [`ReportError::Read`].
    pub async fn read(snapshot: &mut Snapshot, request: &Request<'_>) -> Result<Self, ReportError> {
        let filter = ReportFilter { needs_manual: false, ..request.filter.clone() };
        let newest = snapshot.runs(1).await?.first().map(|run| run.id);
        let mut head = Self::new(filter.run.or(newest), request.generated_at, snapshot.summary(&filter).await?);
        head.in_force = InForce::new(snapshot.exemptions().await?, request.generated_at);
        head.in_force.keep(request.filter.tenant.as_ref(), &request.selection.clients);
        if request.selection.is_partial() {
            head.select(snapshot, (&filter, request)).await?;
        }
        Ok(head)
    }

    /// Whether the database has no mailbox at all for the report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out_of.unwrap_or(self.total.checked) == 0
    }

    /// The four numbers in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.out_of.filter(|out_of| *out_of > 0) {
            None => self.total.sentence(),
            Some(out_of) if self.total.checked == 0 => format!("None of {} is in this selection.", counted(out_of, "mailbox", "mailboxes")),
            Some(out_of) => format!(
                "Of {}, {} in this selection. {}",
                counted(out_of, "mailbox", "mailboxes"),
                counted(self.total.checked, "is", "are"),
                self.total.sentence()
            ),
        }
    }

    /// Counts anew, only what the selection shows.
    async fn select(&mut self, snapshot: &mut Snapshot, (filter, request): (&ReportFilter, &Request<'_>)) -> Result<(), ReportError> {
        self.out_of = Some(self.total.checked);
        for tenant in &mut self.tenants {
            tenant.numbers = Numbers::default();
        }
        let tenants = &mut self.tenants;
        snapshot
            .read_mailboxes(filter, |found| {
                if let Some(tenant) = tenants.iter_mut().find(|tenant| tenant.tenant == found.tenant.as_str()) {
                    request.selection.count(&mut tenant.numbers, &found.outcome);
                }
                ControlFlow::Continue(())
            })
            .await?;
        self.total = sum(&self.tenants);
        Ok(())
    }
}

fn sum(tenants: &[TenantNumbers]) -> Numbers {
    tenants.iter().fold(Numbers::default(), |total, tenant| total.plus(tenant.numbers))
}

impl Numbers {
    fn plus(self, more: Self) -> Self {
        Self {
            checked: self.checked + more.checked,
            ok: self.ok + more.ok,
            needs_manual_configuration: self.needs_manual_configuration + more.needs_manual_configuration,
            could_not_check: self.could_not_check + more.could_not_check,
            hosting_conflicts: self.hosting_conflicts + more.hosting_conflicts,
            personal_accounts: self.personal_accounts + more.personal_accounts,
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

impl Head {
    /// What is to be known of where the mailboxes live, a sentence each; empty where there is nothing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let Numbers { hosting_conflicts, personal_accounts, .. } = self.total;
        let conflicts = (hosting_conflicts > 0).then(|| {
            let whose = counted(hosting_conflicts, "mailbox", "mailboxes");
            format!("The authorities contradict each other on where {whose} live{}.", if hosting_conflicts == 1 { "s" } else { "" })
        });
        let personal = (personal_accounts > 0).then(|| {
            let whose = counted(personal_accounts, "mailbox is", "mailboxes is");
            format!("The address of {whose} a personal Microsoft account, too.")
        });
        let mut notes: Vec<String> = conflicts.into_iter().chain(personal).collect();
        notes.extend((!notes.is_empty()).then(|| "The other formats (csv, json, jsonl) name them.".to_owned()));
        notes
    }
}

impl From<TenantSummary> for TenantNumbers {
    fn from(summary: TenantSummary) -> Self {
        let TenantSummary { tenant, name, finished_at, checked, ok, needs_manual, undetermined, conflicts, personal } = summary;
        let numbers = Numbers {
            checked,
            ok,
            needs_manual_configuration: needs_manual,
            could_not_check: undetermined,
            hosting_conflicts: conflicts,
            personal_accounts: personal,
        };
        Self { tenant: tenant.into(), name, finished_at: finished_at.map(rfc3339), numbers }
    }
}
