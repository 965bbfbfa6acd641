//! The service, killed at ten moments of its life: no change of an incident is lost, nor is any notice of it, and what was acknowledged
//! and written down is not sent again. `tests/bench/endure.rs` does the same at moments of chance.

#[path = "../bench/endure/ledger.rs"]
mod ledger;

use std::{collections::BTreeSet, fs};

use autodiscover_audit::{
    model::{Concern, IncidentState},
    store::Desk,
};
use ledger::{Ledger, duplicates};

use crate::{
    fakenet::{
        sink::{SECRET, Say, Sink},
        world::drift,
    },
    serve::Site,
};

/// When the service is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Before it is ready.
    Start,
    /// Once it is ready.
    Ready,
    /// In the midst of the run that is asked for.
    Run,
    /// After that.
    Rest,
    /// When the first, and when the second receiver is sent something for the so manieth time.
    Sent(usize, usize),
}

/// A service whose two receivers are told of everything.
struct Ordeal {
    site: Site,
    sinks: [(&'static str, Sink); 2],
    looks: [Vec<(usize, BTreeSet<String>)>; 2],
}

impl Ordeal {
    fn begin() -> Self {
        let site = Site::new(&drift::of_many(&BTreeSet::new()));
        let sinks = site.runtime.block_on(async { [("steady", Sink::start().await), ("moody", Sink::start().await)] });
        fs::write(site.folder.path().join("secret"), SECRET).unwrap();
        let channels = sinks.iter().map(|(name, sink)| sink.channel_toml(name));
        let alerts = "[alerts]\nconfirm = 1\nflapping_turns = 20\n";
        let text = fs::read_to_string(site.office.config()).unwrap();
        fs::write(site.office.config(), format!("{text}\n{alerts}{}", channels.collect::<String>())).unwrap();
        Self { site, sinks, looks: [Vec::new(), Vec::new()] }
    }

    fn ask(&self) {
        self.site.runtime.block_on(async {
            let desk = Desk::open(&self.site.office.database()).await.unwrap();
            desk.demand(&[], 0).await.unwrap();
            desk.close().await;
        });
    }

    /// Starts the service, waits for the moment, kills it, and looks what it had written down.
    fn endure(&mut self, moment: Moment) {
        self.site.start();
        match moment {
            Moment::Start => {}
            Moment::Ready => drop(self.site.wait_for("READY=1")),
            Moment::Run => {
                self.site.wait_for("READY=1");
                self.ask();
                self.site.wait_for(" of 120 mailboxes");
            }
            Moment::Rest => {
                self.site.wait_for("READY=1");
                self.ask();
                self.site.wait_until("the end of the run", |seen| seen.demands.is_empty());
            }
            Moment::Sent(at, count) => {
                let sink = &self.sinks[at].1;
                let count = sink.posts().len() + count;
                self.site.wait_for("READY=1");
                self.ask();
                self.site.runtime.block_on(sink.wait_for(count));
            }
        }
        self.site.kill();
        self.look();
    }

    fn look(&mut self) {
        for ((name, sink), looks) in self.sinks.iter().zip(&mut self.looks) {
            let database = self.site.office.database();
            let delivered = self.site.runtime.block_on(async { Ledger::open(&database).await?.delivered(name).await });
            // before the first start has ended there is no such table
            looks.push((sink.posts().len(), delivered.unwrap_or_default()));
        }
    }
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_repeats_nothing_that_was_acknowledged() {
    let mut ordeal = Ordeal::begin();
    let domains: Vec<String> = drift::MANY.into_iter().flat_map(drift::domains_of).collect();
    let moments = [
        (Moment::Start, vec![]),
        (Moment::Ready, vec![]),
        (Moment::Run, vec![]),
        (Moment::Sent(0, 1), vec![]),
        (Moment::Sent(1, 1), vec![Say::Silence]),
        (Moment::Rest, vec![Say::Reset]),
        (Moment::Sent(1, 2), vec![Say::status(400)]),
        (Moment::Sent(0, 3), vec![Say::status(401)]),
        (Moment::Sent(1, 2), vec![Say::Huge]),
        (Moment::Rest, vec![Say::status(202)]),
    ];
    let mut stale = BTreeSet::new();
    for (round, (moment, says)) in moments.into_iter().enumerate() {
        // of every tenant some turn stale, and some of those before are good again
        stale = domains.iter().enumerate().filter(|(at, _)| (at + round) % 3 == 0).map(|(_, name)| name.clone()).collect();
        ordeal.site.fakenet.become_net(&drift::of_many(&stale).net);
        ordeal.sinks[1].1.script(says);
        ordeal.endure(moment);
    }
    let Ordeal { site, .. } = &mut ordeal;
    site.start();
    site.wait_for("READY=1");
    ordeal.ask();
    let site = &ordeal.site;
    let seen = site.wait_until("all is told", |seen| seen.demands.is_empty() && seen.waiting == 0);
    let open = seen.incidents.into_iter().filter(|incident| incident.state == IncidentState::Open);
    let domain = |concern| if let Concern::Finding { domain, .. } = concern { domain.to_string() } else { format!("{concern:?}") };
    assert_eq!(open.map(|incident| domain(incident.concern)).collect::<BTreeSet<_>>(), stale);
    ordeal.site.signal("TERM");
    assert_eq!(ordeal.site.end(), Some(0), "{}", ordeal.site.log());
    ordeal.look();
    let channels: Vec<_> = ordeal.sinks.iter().map(|(name, sink)| (*name, sink.posts())).collect();
    let proof = ordeal.site.runtime.block_on(async {
        let mut ledger = Ledger::open(&ordeal.site.office.database()).await.unwrap();
        assert!(ledger.is_undamaged().await.unwrap());
        ledger.prove(&channels).await.unwrap()
    });
    assert!(proof.runs >= 3 && proof.changes >= 40 && proof.notices >= 12, "{proof:?}");
    assert_eq!(proof.faults().collect::<Vec<_>>(), Vec::<&String>::new());
    for ((_, posts), looks) in channels.iter().zip(&ordeal.looks) {
        assert_eq!(duplicates(looks, posts), Vec::<String>::new());
    }
    let (code, out, err) = ordeal.site.run(&["db", "check"]);
    assert_eq!(code, 0, "{out}{err}");
}
