//! Since when a client's verdict has been what it is, from the history of one mailbox. Pure.

use std::sync::Arc;

use crate::model::{ClientOutcome, Outcome, Verdict};

/// One row of a mailbox's history; no outcome: it was on no list.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) outcome: Option<Arc<Outcome>>,
    pub(super) at: i64,
}

/// For each client of the newest outcome: when its finding was first made. Goes back while the verdict is a finding,
/// whichever, over stretches that were undetermined. `None` where the verdict is `ok`. `pasts` is newest first.
pub(super) fn since(newest: &Outcome, pasts: &[Past]) -> Vec<Option<i64>> {
    newest.clients.iter().map(|client| client_since(client, pasts)).collect()
}

fn client_since(client: &ClientOutcome, pasts: &[Past]) -> Option<i64> {
    if client.verdict == Verdict::Ok {
        return None;
    }
    let mut since = None;
    for past in pasts {
        let then = past.outcome.as_deref().and_then(|outcome| outcome.clients.iter().find(|then| then.client == client.client));
        match then.map(|then| then.verdict) {
            None | Some(Verdict::Ok) => break,
            // where nothing but undetermined is known, that is what lasts
            Some(Verdict::Undetermined) if client.verdict != Verdict::Undetermined => {}
            Some(verdict) if client.verdict == Verdict::Undetermined && verdict != Verdict::Undetermined => break,
            Some(_) => since = Some(past.at),
        }
    }
    since
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(verdict: Verdict) -> Arc<Outcome> {
        let client = ClientOutcome::bare("thunderbird", verdict);
        Arc::new(Outcome { needs_manual_configuration: verdict.is_finding(), clients: vec![client], ..Outcome::default() })
    }

    #[test]
    fn a_finding_lasts_over_other_findings_and_over_doubt_back_to_the_last_ok() {
        use Verdict::{Consumer, Foreign, NotFound, Ok, Undetermined};
        let gone = None;
        for (newest_first, expected) in [
            (vec![(Some(Consumer), 40)], Some(40)),
            (vec![(Some(Consumer), 40), (Some(Foreign), 30), (Some(Ok), 20), (Some(Consumer), 10)], Some(30)),
            (vec![(Some(Consumer), 40), (Some(Undetermined), 30), (Some(NotFound), 20), (Some(Undetermined), 10)], Some(20)),
            (vec![(Some(Consumer), 40), (Some(Undetermined), 30), (Some(Ok), 20)], Some(40)),
            (vec![(Some(Consumer), 40), (gone, 30), (Some(Consumer), 20)], Some(40)),
            (vec![(Some(Ok), 40), (Some(Consumer), 30)], None),
            (vec![(Some(Undetermined), 40), (Some(Undetermined), 30), (Some(Consumer), 20)], Some(30)),
        ] {
            let pasts: Vec<Past> = newest_first.iter().map(|(verdict, at)| Past { outcome: verdict.map(outcome), at: *at }).collect();
            let newest = pasts[0].outcome.clone().unwrap();
            assert_eq!(since(&newest, &pasts), [expected], "{newest_first:?}");
        }
    }
}
