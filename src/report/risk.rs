//! What nobody is called for: clients that are not audited, and settings that hang by a thread. Counted by client. Pure.

use super::{ReportRow, group::Place, layout::table};
use crate::model::{Verdict, visible};

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Risks {
    clients: Vec<Client>,
}

#[derive(Debug)]
struct Client {
    name: String,
    /// Its place among all.
    rank: usize,
    counts: Vec<Count>,
}

/// Mailboxes for which a client comes to the same.
#[derive(Debug)]
struct Count {
    what: What,
    mailboxes: usize,
    domains: usize,
    last: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Verdict(Verdict),
    Fragile,
}

impl Risks {
    /// Takes in what one mailbox has.
    pub(super) fn add(&mut self, row: &ReportRow) {
        for (rank, client) in row.clients.iter().enumerate() {
            let outcome = &client.outcome;
            let what = match outcome.verdict {
                Verdict::Ok if outcome.fragile => What::Fragile,
                Verdict::Ok => continue,
                _ if outcome.audited => continue,
                verdict => What::Verdict(verdict),
            };
            self.client(&outcome.client, rank).add(what, row);
        }
    }

    /// A row for each client, a column for whatever it comes to; empty where there is nothing.
    pub(super) fn text(&mut self) -> String {
        if self.clients.is_empty() {
            return String::new();
        }
        self.clients.sort_by_key(|client| client.rank);
        let kinds = Verdict::ALL.into_iter().map(What::Verdict).chain([What::Fragile]);
        let kinds: Vec<What> = kinds.filter(|kind| self.clients.iter().any(|client| client.count(*kind).is_some())).collect();
        let heads = kinds.iter().map(|kind| match kind {
            What::Verdict(verdict) => verdict.as_str().to_owned(),
            What::Fragile => "ok, but fragile".to_owned(),
        });
        let mut rows: Vec<Vec<String>> = vec![std::iter::once("mailboxes (domains)".to_owned()).chain(heads).collect()];
        for client in &self.clients {
            let cell =
                |kind: &What| client.count(*kind).map(|count| format!("{} ({})", count.mailboxes, count.domains)).unwrap_or_default();
            rows.push(std::iter::once(visible(&client.name).into_owned()).chain(kinds.iter().map(cell)).collect());
        }
        table(2, &rows, &(1..=kinds.len()).collect::<Vec<_>>())
    }

    fn client(&mut self, name: &str, rank: usize) -> &mut Client {
        let at = self.clients.iter().position(|client| client.name == name).unwrap_or(self.clients.len());
        if at == self.clients.len() {
            self.clients.push(Client { name: name.to_owned(), rank, counts: Vec::new() });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found there, or put there")]
        &mut self.clients[at]
    }
}

impl Client {
    fn count(&self, what: What) -> Option<&Count> {
        self.counts.iter().find(|count| count.what == what)
    }

    fn add(&mut self, what: What, row: &ReportRow) {
        let place = || Place::of(row);
        match self.counts.iter_mut().find(|count| count.what == what) {
            Some(count) => {
                count.mailboxes += 1;
                if !count.last.holds(row) {
                    count.domains += 1;
                    count.last = place();
                }
            }
            None => self.counts.push(Count { what, mailboxes: 1, domains: 1, last: place() }),
        }
    }
}
