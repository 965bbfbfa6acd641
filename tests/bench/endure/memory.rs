//! What many runs of one service leave behind in its memory, its open files and its write-ahead log.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use autodiscover_audit::{
    clock::Clock,
    store::{DemandId, Desk},
};

use crate::{
    fakenet::{Fakenet, office::Office, world::bench::bench},
    service::Place,
};

/// Asks one service for runs, one after the other, so many or for so long.
pub(crate) fn measure(runs: usize, mailboxes: usize, minutes: usize) {
    let folder = tempfile::tempdir().unwrap();
    let world = bench(DOMAINS, mailboxes);
    let fakenet = Fakenet::start_beside(&world.net).unwrap();
    fakenet.keep_seen(false);
    let office = Office::furnish(folder.path(), &fakenet, &world);
    drop(world);
    let mut place = Place::new(folder.path(), &office.config());
    place.start();
    assert!(place.hears("STATUS=idle", Duration::from_mins(5)), "{}", fs::read_to_string(place.log()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, process) = (Instant::now(), place.id());
    let until = began + Duration::from_mins(minutes as u64);
    println!("{mailboxes} mailboxes in {DOMAINS} domains");
    println!("{:>6}{:>10}{:>12}{:>12}{:>8}{:>12}{:>12}", "run", "s", "VmRSS MiB", "VmHWM MiB", "fds", "WAL KiB", "db KiB");
    runtime.block_on(async {
        let desk = Desk::open(&office.database()).await.unwrap();
        for run in 1..=runs {
            if Instant::now() > until {
                println!("the time is over");
                break;
            }
            let id = desk.demand(&[], Clock::system().seconds()).await.unwrap();
            wait(&desk, id).await;
            if run.is_power_of_two() || run.is_multiple_of(100) || run == runs {
                show((run, began.elapsed()), process, &office.database());
            }
        }
        show((0, began.elapsed()), process, &office.database());
        desk.close().await;
    });
    assert!(place.stop());
}

async fn wait(desk: &Desk, id: DemandId) {
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let demand = desk.reader().demand(id).await.unwrap().unwrap();
        assert_eq!(demand.problem, None);
        if demand.ended_at.is_some() {
            return;
        }
    }
}

fn show((run, took): (usize, Duration), process: u32, database: &Path) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let memory = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
    };
    let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let size = |end: &str| fs::metadata(format!("{}{end}", database.display())).map_or(0, |file| file.len() / 1_024);
    let (resident, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    println!("{run:>6}{:>10.1}{resident:>12}{peak:>12}{files:>8}{:>12}{:>12}", took.as_secs_f64(), size("-wal"), size(""));
}

const DOMAINS: usize = 100;
