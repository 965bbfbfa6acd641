//! `cargo run --example demo`: a fake internet on loopback, an administrator's office in it, and the real program at work.
//!
//! Audits the tenants of two internets, that of today and that of 2014, shows what a person would see, writes the reports into a
//! folder that it names, and compares every outcome with what the worlds say. Ends with 1 if one differs.

#![expect(clippy::print_stdout, reason = "a demonstration speaks to whoever runs it")]
#![expect(clippy::unwrap_used, reason = "a demonstration may stop at once")]

#[path = "../fakenet/mod.rs"]
mod fakenet;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{ExitCode, Output},
};

use autodiscover_audit::{cli, store::Store};
use fakenet::{
    Fakenet,
    office::{Comparison, LookedAt, Office, compare},
    world::{World, past::of_2014, today::today},
};
use tokio::process::Command;

/// As the first argument: be the program, with the arguments that follow.
const PROGRAM: &str = "autodiscover-audit";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == PROGRAM) {
        return cli::main_with(arguments).into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if runtime.block_on(show()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn show() -> bool {
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let past =
        show_world(&Scene { name: "2014", title: "The internet of 2014", world: of_2014(), check: CLASSIC, folder: folder.join("2014") })
            .await;
    let today =
        show_world(&Scene { name: "today", title: "The internet of today", world: today(), check: STANDARD, folder: folder.join("today") })
            .await;
    println!("\nReports, lists and databases are in {}", folder.display());
    let differences: Vec<&String> = past.differences.iter().chain(&today.differences).collect();
    let compared = past.compared + today.compared;
    for line in &differences {
        println!("DIFFERS  {line}");
    }
    println!("{} of {compared} outcomes are as expected.", compared.saturating_sub(differences.len()));
    differences.is_empty()
}

/// What is shown of one world.
struct Scene {
    name: &'static str,
    title: &'static str,
    world: World,
    /// The address that is looked at closely.
    check: &'static str,
    folder: PathBuf,
}

async fn show_world(scene: &Scene) -> Comparison {
    let world = &scene.world;
    let mailboxes: usize = world.tenants.iter().map(|tenant| tenant.mailboxes.len()).sum();
    println!("\n=== {}: {} tenants, {mailboxes} mailboxes in {} domains ===", scene.title, world.tenants.len(), world.domain_count());
    let fakenet = Fakenet::start(world).await;
    let office = Office::furnish_for((&scene.folder, LookedAt::Everyone), &fakenet, world);
    let audit = run(&office, &["audit"]).await;
    print_head(&audit, usize::MAX);
    let report = run(&office, &["report", "--needs-manual"]).await;
    print_head(&report, REPORT_LINES);
    for (name, arguments) in [
        ("report.txt", vec!["report", "--all"]),
        ("report.csv", vec!["report", "--format", "csv"]),
        ("report-excel.csv", vec!["report", "--needs-manual", "--format", "csv", "--csv-dialect", "excel"]),
        ("report.json", vec!["report", "--format", "json"]),
        ("report.jsonl", vec!["report", "--format", "jsonl"]),
    ] {
        println!("{}$ autodiscover-audit {} > {name}", if name == "report.txt" { "\n" } else { "" }, arguments.join(" "));
        fs::write(scene.folder.join(name), run_quietly(&office, &arguments).await.stdout).unwrap();
    }
    let check = run(&office, &["check", scene.check]).await;
    print_head(&check, CHECK_LINES);
    println!(
        "\n({} HTTP requests and {} DNS queries were answered for the internet of {})",
        fakenet.http_requests(),
        fakenet.dns_requests(),
        scene.name
    );
    let reader = Store::open_read_only(&office.database()).await.unwrap();
    compare(world, &reader).await
}

/// Shows a command, and runs it as a user would.
async fn run(office: &Office, arguments: &[&str]) -> Output {
    println!("\n$ autodiscover-audit {} --config autodiscover-audit.toml", arguments.join(" "));
    run_quietly(office, arguments).await
}

async fn run_quietly(office: &Office, arguments: &[&str]) -> Output {
    let config = office.config();
    let program = env::current_exe().unwrap();
    let output = Command::new(program).arg(PROGRAM).args(arguments).arg("--config").arg(&config).output().await.unwrap();
    if !matches!(output.status.code(), Some(0..=2)) {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output
}

fn print_head(output: &Output, lines: usize) {
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines().take(lines) {
        println!("{line}");
    }
    let rest = text.lines().count().saturating_sub(lines);
    if rest > 0 {
        println!("  … ({rest} more lines)");
    }
}

/// `demo` in the folder that cargo builds into.
fn folder() -> PathBuf {
    let program = env::current_exe().unwrap();
    program.ancestors().nth(3).map_or_else(env::temp_dir, Path::to_owned).join("demo")
}

const CLASSIC: &str = "anna@standard.example";
const STANDARD: &str = "anna@standard.example";
const REPORT_LINES: usize = 48;
const CHECK_LINES: usize = 60;
