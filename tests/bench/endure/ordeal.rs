//! The service, killed again and again.

use std::{
    collections::BTreeSet,
    fs,
    process::Child,
    time::{Duration, Instant},
};

use autodiscover_audit::{
    clock::Clock,
    model::{Concern, IncidentState},
    store::{Desk, IncidentFilter, Store},
};
use tokio::runtime::Runtime;

use crate::{
    chance::Chance,
    fakenet::{
        Fakenet,
        office::Office,
        sink::{SECRET, Say, Sink},
        world::drift,
    },
    ledger::{Ledger, duplicates},
    service::Place,
};

/// When the service is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// While it starts, while it runs, while it delivers, while it rests.
    Random,
    /// Just after a receiver has been sent something.
    Delivery,
}

/// A world, a service in it, and two receivers of its notices.
pub(crate) struct Ordeal {
    seed: u64,
    chance: Chance,
    moment: Moment,
    runtime: Runtime,
    fakenet: Fakenet,
    office: Office,
    place: Place,
    sinks: Vec<(&'static str, Sink)>,
    /// Looks at the database: of each channel how much had come in when it was over, and what was delivered.
    looks: Vec<Vec<(usize, BTreeSet<String>)>>,
    stale: BTreeSet<String>,
    began: Instant,
    kills: usize,
    is_sound: bool,
    is_as_the_world: bool,
    audits: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Ordeal {
    pub(crate) fn begin(seed: u64, moment: Moment) -> Self {
        let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        let world = drift::of_many(&BTreeSet::new());
        let fakenet = Fakenet::start_beside(&world.net).unwrap();
        fakenet.keep_seen(false);
        let office = Office::furnish(folder.path(), &fakenet, &world);
        let sinks = runtime.block_on(async { vec![("steady", Sink::start().await), ("moody", Sink::start().await)] });
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        let mut text = fs::read_to_string(office.config()).unwrap();
        text += "[schedule]\ncron = \"* * * * *\"\njitter_minutes = 0\n[alerts]\nconfirm = 1\nflapping_turns = 20\n";
        text.extend(sinks.iter().map(|(name, sink)| sink.channel_toml(name)));
        fs::write(office.config(), text).unwrap();
        let place = Place::new(folder.path(), &office.config());
        Self {
            seed,
            chance: Chance::new(seed),
            moment,
            runtime,
            fakenet,
            office,
            place,
            looks: sinks.iter().map(|_| Vec::new()).collect(),
            sinks,
            stale: BTreeSet::new(),
            began: Instant::now(),
            kills: 0,
            is_sound: true,
            is_as_the_world: true,
            audits: Vec::new(),
            _folder: folder,
        }
    }

    /// Kills the service so often. `false`: it ended by itself once, and a kill came too late.
    pub(crate) fn go_through(&mut self, kills: usize) -> bool {
        let mut has_ended = 0;
        while self.kills < kills {
            self.drift();
            let moods = self.moods();
            self.sinks[1].1.script(moods);
            self.place.start();
            self.wait_for_the_moment();
            if self.place.kill() {
                self.kills += 1;
            } else {
                has_ended += 1;
                println!("the service had ended by itself: {}", self.last_words());
                assert!(has_ended < 10, "it ends again and again");
            }
            self.look();
            if self.kills.is_multiple_of(20) {
                println!("{} kills after {:.0} s, {} domains stale", self.kills, self.began.elapsed().as_secs_f64(), self.stale.len());
                self.is_sound &= self.place.command(&["db", "check"]).status().unwrap().success();
            }
        }
        has_ended == 0
    }

    /// Some domains turn stale, or good again.
    fn drift(&mut self) {
        for _ in 0..self.chance.below(5) {
            let tenant = drift::MANY[usize::try_from(self.chance.below(4)).unwrap()];
            let name = drift::domains_of(tenant).nth(usize::try_from(self.chance.below(10)).unwrap()).unwrap();
            if !self.stale.remove(&name) {
                self.stale.insert(name);
            }
        }
        self.fakenet.become_net(&drift::of_many(&self.stale).net);
    }

    /// What the moody receiver does with what comes next.
    fn moods(&mut self) -> Vec<Say> {
        match self.chance.below(24) {
            0 => vec![Say::status(202)],
            1 | 2 => vec![Say::status(400), Say::status(200)],
            3 => vec![Say::status(401)],
            4 => vec![Say::later(429, "2")],
            5 => {
                let then = jiff::Timestamp::from_second(Clock::system().seconds() + 3).unwrap();
                vec![Say::later(429, &jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap())]
            }
            6 | 7 => vec![Say::status(500)],
            8 => vec![Say::Silence],
            9 | 10 => vec![Say::Reset],
            11 => vec![Say::Huge],
            12 => vec![Say::Reset, Say::status(503), Say::status(202), Say::Huge],
            _ => Vec::new(),
        }
    }

    fn wait_for_the_moment(&mut self) {
        let pause = match (self.moment, self.chance.below(10)) {
            (Moment::Random, 0..3) => self.chance.milliseconds_below(500),
            (Moment::Random, 3..8) => {
                self.wait_until_ready();
                self.ask();
                self.chance.milliseconds_below(2_000)
            }
            _ => {
                self.wait_until_ready();
                self.ask();
                self.wait_for_a_post();
                self.chance.milliseconds_below(6)
            }
        };
        std::thread::sleep(pause);
    }

    fn wait_until_ready(&self) {
        assert!(self.place.hears("READY=1", PATIENCE), "the service does not start: {}", self.last_words());
    }

    /// Asks for a run: now and then as a person would, mostly at once.
    fn ask(&mut self) {
        if self.chance.below(10) == 0 {
            self.audits.push(self.place.command(&["audit"]).spawn().unwrap());
            return;
        }
        self.runtime.block_on(async {
            let desk = Desk::open(&self.office.database()).await.unwrap();
            desk.demand(&[], Clock::system().seconds()).await.unwrap();
            desk.close().await;
        });
    }

    /// Until one of the receivers has been sent another one to three.
    fn wait_for_a_post(&mut self) {
        let more = 1 + usize::try_from(self.chance.below(3)).unwrap();
        self.runtime.block_on(async {
            let (steady, moody) = (&self.sinks[0].1, &self.sinks[1].1);
            let (at, of) = (steady.posts().len() + more, moody.posts().len() + more);
            tokio::select! {
                () = steady.wait_for(at) => {}
                () = moody.wait_for(of) => {}
                () = tokio::time::sleep(LONGEST_WAIT) => {}
            }
        });
    }

    fn look(&mut self) {
        let database = self.office.database();
        for ((name, sink), looks) in self.sinks.iter().zip(&mut self.looks) {
            // there may be no table yet
            let delivered = self.runtime.block_on(async { Ledger::open(&database).await?.delivered(name).await });
            looks.push((sink.posts().len(), delivered.unwrap_or_default()));
        }
    }

    /// Lets the service run until it has seen the world as it is, and has told everything. `false`: something failed.
    pub(crate) fn come_to_rest(&mut self) -> bool {
        let audits = std::mem::take(&mut self.audits);
        self.place.start();
        self.wait_until_ready();
        let mut is_well = true;
        for mut audit in audits {
            is_well &= audit.wait().unwrap().code().is_some_and(|code| code <= 2);
        }
        let until = Instant::now() + LONGEST_REST;
        for _ in 0..2 {
            self.ask();
            while !self.is_at_rest() {
                if Instant::now() > until {
                    println!("it does not come to rest: {}", self.last_words());
                    return false;
                }
                self.look();
                if self.is_paused() {
                    // what an administrator does once a receiver takes something again
                    self.place.reload();
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        self.is_as_the_world = self.open_domains() == self.stale;
        is_well &= self.place.stop();
        self.look();
        self.is_sound &= self.place.command(&["db", "check"]).status().unwrap().success();
        is_well
    }

    /// Nothing is asked for, nothing waits.
    fn is_at_rest(&self) -> bool {
        self.runtime.block_on(async {
            let reader = Store::open_read_only(&self.office.database()).await.unwrap();
            let is_told = reader.outbox().await.unwrap().iter().all(|queue| queue.waiting == 0);
            is_told && reader.demands().await.unwrap().is_empty()
        })
    }

    fn is_paused(&self) -> bool {
        self.runtime.block_on(async {
            let reader = Store::open_read_only(&self.office.database()).await.unwrap();
            reader.outbox().await.unwrap().iter().any(|queue| queue.paused_at.is_some())
        })
    }

    fn open_domains(&self) -> BTreeSet<String> {
        let filter = IncidentFilter { states: vec![IncidentState::Open], ..IncidentFilter::default() };
        let open = self
            .runtime
            .block_on(async { Store::open_read_only(&self.office.database()).await.unwrap().incidents(&filter).await.unwrap() });
        let domain = |concern| if let Concern::Finding { domain, .. } = concern { Some(domain.to_string()) } else { None };
        open.into_iter().filter_map(|incident| domain(incident.concern)).collect()
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.place.log()).unwrap_or_default();
        log.lines().rev().take(8).collect::<Vec<_>>().join("\n")
    }

    /// Tells what came of it. `false`: something is wrong.
    pub(crate) fn tell(&mut self) -> bool {
        let channels: Vec<_> = self.sinks.iter().map(|(name, sink)| (*name, sink.posts())).collect();
        let (proof, is_undamaged) = self.runtime.block_on(async {
            let mut ledger = Ledger::open(&self.office.database()).await.unwrap();
            (ledger.prove(&channels).await.unwrap(), ledger.is_undamaged().await.unwrap())
        });
        let duplicates: Vec<String> = channels.iter().zip(&self.looks).flat_map(|((_, posts), looks)| duplicates(looks, posts)).collect();
        let (posts, acknowledged) = channels
            .iter()
            .flat_map(|(_, posts)| posts)
            .fold((0, 0), |(posts, acknowledged), post| (posts + 1, acknowledged + usize::from(post.is_acknowledged())));
        println!("seed {}, {:?}, {:.0} s", self.seed, self.moment, self.began.elapsed().as_secs_f64());
        println!("kills                        {}", self.kills);
        println!("runs                         {}", proof.runs);
        println!("incident changes             {}", proof.changes);
        println!("notices delivered            {}", proof.notices);
        println!("requests, acknowledged       {posts}, {acknowledged}");
        println!("lost                         {}", proof.lost.len());
        println!("duplicates of acknowledged   {}", duplicates.len());
        println!("out of order                 {}", proof.out_of_order.len());
        println!("contradictions               {}", proof.contradictions.len());
        println!("open incidents as the world  {}", self.is_as_the_world);
        println!("database sound               {}", self.is_sound && is_undamaged);
        for fault in proof.faults().chain(&duplicates).take(20) {
            println!("FAULT  {fault}");
        }
        let is_well = proof.faults().next().is_none() && duplicates.is_empty() && self.is_as_the_world && self.is_sound && is_undamaged;
        if !is_well {
            let kept = std::env::temp_dir().join(format!("endure-{}", std::process::id()));
            fs::create_dir_all(&kept).unwrap();
            for file in [self.place.log(), self.office.database()] {
                fs::copy(&file, kept.join(file.file_name().unwrap())).unwrap();
            }
            println!("the log and the database are in {}", kept.display());
        }
        is_well
    }
}

const PATIENCE: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_secs(4);
const LONGEST_REST: Duration = Duration::from_mins(20);
