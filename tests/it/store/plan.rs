//! What the schedule remembers, and what an audit reads of a tenant's outcomes.

use autodiscover_audit::store::{Conclusion, DemandId, Desk, Recheck, Scope};

use super::*;

#[tokio::test]
async fn what_the_schedule_remembers_is_read_back() {
    let site = Site::new().await;
    let (store, reader, fabrikam) = (&site.store, site.store.reader(), tenant("fabrikam"));
    store.remember_due(&site.tenant, 10).await.unwrap();
    store.remember_success(&site.tenant, 12).await.unwrap();
    store.remember_due(&site.tenant, 20).await.unwrap();
    store.remember_success(&fabrikam, 15).await.unwrap();
    let schedules = reader.schedules().await.unwrap();
    let told: Vec<_> = schedules.iter().map(|known| (known.tenant.as_str(), known.due_at, known.succeeded_at)).collect();
    assert_eq!(told, [("contoso", Some(20), Some(12)), ("fabrikam", None, Some(15))]);

    let desk = Desk::open(&site.path()).await.unwrap();
    let id = desk.demand(std::slice::from_ref(&fabrikam), 30).await.unwrap();
    let demands = reader.demands().await.unwrap();
    assert_eq!((demands.len(), demands[0].id, demands[0].asked_at, demands[0].tenants.as_slice()), (1, id, 30, &[fabrikam][..]));
    let run = store.begin_run(&[], 31).await.unwrap();
    store.begin_demand(id, run).await.unwrap();
    assert_eq!(reader.demands().await.unwrap()[0].run, Some(run));
    store.end_demand(id, 40, Some("the list is not there")).await.unwrap();
    store.end_demand(id, 50, None).await.unwrap();
    assert_eq!(reader.demands().await.unwrap(), []);
    let over = reader.demand(id).await.unwrap().unwrap();
    assert_eq!((over.ended_at, over.problem.as_deref()), (Some(40), Some("the list is not there")));
    assert_eq!(reader.demand(DemandId(99)).await.unwrap(), None);
}

#[test]
fn a_check_that_a_clock_put_too_far_off_is_due() {
    let recheck = Recheck { domain: domain("contoso.com"), due_at: 10_000, pause: 300 };
    for (now, expected) in [(10_000, true), (9_999, false), (9_700, false), (9_400, false), (9_399, true), (6_400, true), (20_000, true)] {
        assert_eq!(recheck.is_due(now), expected, "{now}");
    }
}

#[tokio::test]
async fn a_run_plans_what_is_checked_again_for_the_domains_that_it_went_through() {
    let mut site = Site::new().await;
    let (fine, contoso, fabrikam) = (outcome(Verdict::Ok), domain("contoso.com"), domain("fabrikam.com"));
    let plan = |domain: &Domain, due_at| Recheck { domain: domain.clone(), due_at, pause: 60 };
    let lists = [mailboxes(&["anna@contoso.com"]), mailboxes(&["bert@fabrikam.com"])];
    for (is_part, rechecks, expected) in [
        (false, vec![plan(&contoso, 10), plan(&fabrikam, 20)], vec![("contoso.com", 10), ("fabrikam.com", 20)]),
        (true, vec![plan(&contoso, 30)], vec![("fabrikam.com", 20), ("contoso.com", 30)]),
        (true, vec![], vec![("fabrikam.com", 20)]),
        (false, vec![], vec![]),
    ] {
        let tenants = [(site.tenant.clone(), "Contoso Ltd".to_owned(), 2)];
        let run = if is_part { site.store.begin_part(&tenants, 1).await } else { site.store.begin_run(&tenants, 1).await }.unwrap();
        site.record(run, "contoso.com", &lists[0], &fine, true).await;
        let whole = [&contoso, &fabrikam];
        let scope = if is_part {
            Scope::Part(&whole[..1])
        } else {
            site.record(run, "fabrikam.com", &lists[1], &fine, true).await;
            Scope::Whole(&whole)
        };
        let conclusion =
            Conclusion { run, tenant: &site.tenant, scope, vanished: &[], at: 5, changes: &[], destinations: &[], rechecks: &rechecks };
        assert_eq!(site.store.conclude_tenant(conclusion).await.unwrap().gone, 0, "the other domain is still on the list");
        let due = site.store.reader().rechecks_due(100, 10).await.unwrap();
        let told: Vec<_> = due.iter().map(|(_, recheck)| (recheck.domain.as_str(), recheck.due_at)).collect();
        assert_eq!(told, expected);
        assert_eq!(site.store.reader().rechecks_due(0, 10).await.unwrap(), []);
        assert_eq!(site.store.reader().rechecks_due(-1_000, 10).await.unwrap(), due, "the clock was set back");
        assert_eq!(site.store.reader().next_recheck().await.unwrap(), expected.first().map(|(_, due_at)| *due_at));
    }
    site.clock += 1;
    let part = site.store.begin_part(&[], site.clock).await.unwrap();
    assert_eq!(site.store.resume_run(&[], site.clock).await.unwrap(), None, "{part} was over a part, which is begun anew");
}

#[tokio::test]
async fn mailboxes_with_one_outcome_are_one_group_of_their_domain() {
    let mut site = Site::new().await;
    let (fine, bad) = (outcome(Verdict::Ok), outcome(Verdict::Consumer));
    let run = site.begin(4).await;
    let list = mailboxes(&["Anna@contoso.com", "bert@contoso.com", "carl@contoso.com"]);
    let entries: Vec<Entry<'_>> = list.iter().zip([&bad, &fine, &bad]).map(|(mailbox, outcome)| Entry { mailbox, outcome }).collect();
    let (owner, contoso, other) = (site.tenant.clone(), domain("contoso.com"), domain("aaa.example"));
    let batch =
        DomainBatch { run, tenant: &owner, domain: &contoso, list: [0; 32], entries: &entries, dossier: None, done: true, at: 1_100 };
    site.store.record(batch).await.unwrap();
    site.record(run, "aaa.example", &mailboxes(&["zoe@aaa.example"]), &fine, true).await;
    let told = async |domains: Option<&std::collections::BTreeSet<Domain>>, stop: usize| {
        let mut told = Vec::new();
        let read = site.store.reader().read_groups(&site.tenant, domains, |domain, groups| {
            for group in groups {
                assert_eq!((&group.domain, &group.example.key()), (domain, &group.example_key));
                told.push((domain.to_string(), group.example.to_string(), group.mailboxes, group.outcome.clients[0].verdict));
            }
            if told.len() >= stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        read.await.unwrap();
        told
    };
    let row = |domain: &str, example: &str, mailboxes, verdict| (domain.to_owned(), example.to_owned(), mailboxes, verdict);
    let first = row("aaa.example", "zoe@aaa.example", 1, Verdict::Ok);
    let two = [row("contoso.com", "Anna@contoso.com", 2, Verdict::Consumer), row("contoso.com", "bert@contoso.com", 1, Verdict::Ok)];
    assert_eq!(told(None, 9).await, [std::slice::from_ref(&first), &two].concat());
    assert_eq!(told(None, 1).await, std::slice::from_ref(&first));
    assert_eq!(told(Some(&[contoso].into()), 9).await, two);
    assert_eq!(told(Some(&[other, domain("nowhere.example")].into()), 9).await, [first]);
    assert_eq!(told(Some(&[].into()), 9).await, []);
}
