//! `cargo run --release --example bench -- [--at-risk|--all-clients] [MAILBOXES] [DOMAINS]`: whole audits against a fake internet without delay, and beside
//! them a bare loop of the same HTTP client over the same requests. The program and the loop run in processes of their own, so
//! that time and memory are theirs alone; the fake internet shares the cores with them. Nothing is paced, and Autodiscover v2 is asked about
//! every mailbox. The clients are looked at that are audited by default; with `--at-risk` those too that a site looks at beside them
//! where it does not say otherwise, with `--all-clients` all.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop at once")]

#[path = "../fakenet/mod.rs"]
mod fakenet;

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use autodiscover_audit::cli;
use fakenet::{
    Fakenet,
    office::{LookedAt, Office},
    world::bench::bench,
};

mod bare;

/// As the first argument: be the program, with the arguments that follow.
const PROGRAM: &str = "autodiscover-audit";
/// As the first argument: be the bare loop.
const BARE: &str = "bare-loop";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(PROGRAM) => cli::main_with(arguments).into(),
        Some(BARE) => {
            bare::run(&arguments[1..]);
            ExitCode::SUCCESS
        }
        _ => {
            let (words, numbers): (Vec<_>, Vec<_>) = arguments.iter().partition(|word| word.starts_with("--"));
            let looked_at = match words.first().map(|word| word.as_str()) {
                None => LookedAt::Audited,
                Some("--at-risk") => LookedAt::Defaults,
                Some("--all-clients") => LookedAt::Everyone,
                Some(other) => panic!("{other}: no such option"),
            };
            let numbers: Vec<usize> = numbers.into_iter().map(|word| word.parse().unwrap()).collect();
            let number = |at: usize, otherwise| numbers.get(at).copied().unwrap_or(otherwise);
            measure((number(0, 100_000), number(1, 1_000)), looked_at);
            ExitCode::SUCCESS
        }
    }
}

fn measure((mailboxes, domains): (usize, usize), looked_at: LookedAt) {
    let world = bench(domains, mailboxes);
    let fakenet = Fakenet::start_beside(&world.net).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let office = Office::furnish_for((folder.path(), looked_at), &fakenet, &world);
    drop(world);
    let whom = match looked_at {
        LookedAt::Audited => "the clients that are audited by default",
        LookedAt::Named | LookedAt::Defaults => "the clients that are audited or at risk by default",
        LookedAt::Everyone => "all clients",
    };
    println!("{mailboxes} mailboxes in {domains} domains, {whom}, {} cores", thread::available_parallelism().map_or(0, usize::from));
    println!(
        "{:<24}{:>9}{:>9}{:>13}{:>10}{:>11}{:>13}{:>9}{:>9}{:>10}{:>11}{:>11}",
        "",
        "wall s",
        "cpu s",
        "mailboxes/s",
        "requests",
        "requests/s",
        "connections",
        "dns",
        "peak MiB",
        "db MiB",
        "judging ms",
        "storing ms"
    );
    let first = audit("first run", &fakenet, &office, mailboxes);
    tell_requests(&fakenet, (mailboxes, domains));
    let requests = fakenet.seen();
    fakenet.keep_seen(false);
    let second = audit("second run, unchanged", &fakenet, &office, mailboxes);
    let script = folder.path().join("requests.txt");
    let mut file = fs::File::create(&script).unwrap();
    for request in &requests {
        writeln!(file, "{} {} {}", request.method, request.url(), request.body.len()).unwrap();
    }
    let connections = fakenet.connections();
    let bare = bare_loop(&fakenet, &script);
    let connections = fakenet.connections() - connections;
    println!("bare loop, same requests: {bare:.0} requests/s over {} requests on {connections} connections", requests.len());
    println!("ratio of request rates, first run to bare loop: {:.2}", first.rate / bare);
    println!("ratio of request rates, second run to bare loop: {:.2}", second.rate / bare);
    println!("judging and storing, first run to second: {:.1}", first.ours / second.ours);
}

/// How many requests a domain costs, and how many each of its mailboxes.
fn tell_requests(fakenet: &Fakenet, (mailboxes, domains): (usize, usize)) {
    let (http, v2, dns) = (as_f64(fakenet.http_requests()), as_f64(fakenet.v2_requests()), as_f64(fakenet.dns_requests()));
    let (mailboxes, domains) = (as_f64(mailboxes as u64), as_f64(domains as u64));
    println!(
        "requests of the first run: a domain {:.1} HTTP and {:.1} DNS beside Autodiscover v2; a mailbox {:.2} of Autodiscover v2, {:.2} HTTP in all",
        (http - v2) / domains,
        dns / domains,
        v2 / mailboxes,
        http / mailboxes
    );
}

struct Figures {
    /// HTTP requests a second.
    rate: f64,
    /// Milliseconds spent on verdicts and on the database.
    ours: f64,
}

fn audit(title: &str, fakenet: &Fakenet, office: &Office, mailboxes: usize) -> Figures {
    let (http, dns, connections) = (fakenet.http_requests(), fakenet.dns_requests(), fakenet.connections());
    let began = Instant::now();
    let child = Command::new(env::current_exe().unwrap())
        .args([PROGRAM, "--log-format", "json", "audit", "--config"])
        .arg(office.config())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (output, peak, cpu) = watch(child);
    let wall = began.elapsed().as_secs_f64();
    let (http, dns) = (fakenet.http_requests() - http, fakenet.dns_requests() - dns);
    let connections = fakenet.connections() - connections;
    let end: serde_json::Value = output
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find(|line: &serde_json::Value| line["fields"]["message"] == "run ends")
        .unwrap_or_else(|| panic!("the audit failed:\n{output}"));
    let figure = |name: &str| end["fields"][name].to_string().trim_matches('"').parse::<f64>().unwrap();
    let (judging, storing) = (figure("judging_ms"), figure("storing_ms"));
    let database: u64 = ["", "-wal"]
        .iter()
        .filter_map(|end| fs::metadata(format!("{}{end}", office.database().display())).ok())
        .map(|file| file.len())
        .sum();
    let (count, mib) = (as_f64(mailboxes as u64), |bytes: u64| as_f64(bytes) / 1_048_576.0);
    let rate = as_f64(http) / wall;
    println!(
        "{title:<24}{wall:>9.2}{cpu:>9.2}{:>13.0}{http:>10}{rate:>11.0}{connections:>13}{dns:>9}{:>9.1}{:>10.1}{judging:>11}{storing:>11}",
        count / wall,
        mib(peak),
        mib(database)
    );
    Figures { rate, ours: judging + storing }
}

/// What a process said on standard error, the most memory that it held, in bytes, and the seconds of processor that it took.
fn watch(mut child: Child) -> (String, u64, f64) {
    let status = format!("/proc/{}/status", child.id());
    let mut stderr = child.stderr.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stderr, &mut text).map(|_| text)
    });
    let (mut peak, mut ticks) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water(Path::new(&status)).unwrap_or(0));
        ticks = ticks.max(processor_ticks(child.id()).unwrap_or(0));
        thread::sleep(Duration::from_millis(10));
    }
    (reader.join().unwrap().unwrap(), peak, as_f64(ticks) / TICKS_A_SECOND)
}

fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

/// User and system time (proc(5), fields 14 and 15).
fn processor_ticks(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit(") ").next()?.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn bare_loop(fakenet: &Fakenet, script: &Path) -> f64 {
    let addresses = [fakenet.http_address(), fakenet.https_address()].map(|address| address.to_string());
    let output = Command::new(env::current_exe().unwrap()).arg(BARE).arg(script).arg(fakenet.ca_file()).args(addresses).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

const TICKS_A_SECOND: f64 = 100.0;

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
