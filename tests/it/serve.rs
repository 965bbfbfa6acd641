//! The service: the built binary, told what a service manager and an administrator tell it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::net::{UnixDatagram, UnixStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use autodiscover_audit::{
    model::{Concern, Incident, TenantId},
    store::{Demand, Desk, Reader, Run, RunState, Store, StoreError},
};

use crate::{
    cli::{program, told},
    fakenet::{
        Fakenet,
        office::Office,
        world::{World, past::of_2014, today::today},
    },
};

/// A world, an office in it, a service manager's ear, and the service.
pub(crate) struct Site {
    pub(crate) fakenet: Fakenet,
    pub(crate) office: Office,
    pub(crate) folder: tempfile::TempDir,
    heard: mpsc::Receiver<String>,
    pub(crate) runtime: tokio::runtime::Runtime,
    child: Option<Child>,
}

impl Site {
    pub(crate) fn new(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fakenet = Fakenet::start_beside(&world.net).unwrap();
        let office = Office::furnish(folder.path(), &fakenet, world);
        let settings = "[schedule]\nzone = \"Europe/Berlin\"\njitter_minutes = 0\n";
        let text = fs::read_to_string(office.config()).unwrap();
        fs::write(office.config(), format!("{text}\n{settings}")).unwrap();
        let ear = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let (sender, heard) = mpsc::channel();
        // a service manager always listens: whoever speaks to it waits until it has
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = ear.recv(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { fakenet, office, folder, heard, runtime: tokio::runtime::Runtime::new().unwrap(), child: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).arg("--config").arg(self.office.config());
        command
    }

    pub(crate) fn start(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.command(&["serve"]);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).env("WATCHDOG_USEC", "600000");
        self.child = Some(command.stderr(log).spawn().unwrap());
    }

    /// Waits until the service says something.
    pub(crate) fn wait_for(&self, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut heard = String::new();
        while let Ok(message) = self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if message.contains(words) {
                return message;
            }
            heard += &message;
        }
        panic!("`{words}` was not said, but:\n{heard}\nlog:\n{}", self.log());
    }

    /// Waits until the database says so. The runs of the service go on meanwhile.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) -> Seen {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = self.look()
                && is_so(&seen)
            {
                return seen;
            }
            assert!(Instant::now() < until, "not in time: {what}; {:?}\nlog:\n{}", self.look(), self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn look(&self) -> Option<Seen> {
        self.runtime.block_on(async {
            let reader = Store::open_read_only(&self.office.database()).await.ok()?;
            Seen::read(&reader).await.ok()
        })
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.take().unwrap().wait().unwrap().code()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.command(arguments).output().unwrap())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// What the database says.
#[derive(Debug)]
pub(crate) struct Seen {
    runs: Vec<Run>,
    due: Vec<TenantId>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) demands: Vec<Demand>,
    /// Notices that wait.
    pub(crate) waiting: u64,
    checked: u64,
}

impl Seen {
    async fn read(reader: &Reader) -> Result<Self, StoreError> {
        let schedules = reader.schedules().await?;
        Ok(Self {
            runs: reader.runs(10).await?,
            due: schedules.into_iter().filter(|schedule| schedule.due_at.is_some()).map(|schedule| schedule.tenant).collect(),
            incidents: reader.incidents(&autodiscover_audit::store::IncidentFilter::default()).await?,
            demands: reader.demands().await?,
            waiting: reader.outbox().await?.iter().map(|queue| queue.waiting).sum(),
            checked: reader.summary(&autodiscover_audit::store::ReportFilter::default()).await?.iter().map(|tenant| tenant.checked).sum(),
        })
    }

    pub(crate) fn finished(&self) -> usize {
        self.runs.iter().filter(|run| run.state == RunState::Finished).count()
    }
}

fn mailboxes(world: &World) -> u64 {
    world.tenants.iter().map(|tenant| tenant.mailboxes.len() as u64).sum()
}

#[test]
fn a_service_starts_audits_what_is_due_and_ends_when_it_is_told() {
    let world = of_2014();
    let mut site = Site::new(&world);
    site.start();
    site.wait_for("READY=1");
    let seen = site.wait_until("the first run", |seen| seen.due.len() == world.tenants.len());
    assert_eq!((seen.runs.len(), seen.finished(), seen.checked), (1, 1, mailboxes(&world)));
    site.wait_for("STATUS=idle; next 02:30 Europe/Berlin");
    site.wait_for("WATCHDOG=1");
    site.signal("TERM");
    site.wait_for("STOPPING=1");
    assert_eq!(site.end(), Some(0), "{}", site.log());
    assert!(!site.log().contains('@'), "no address above debug: {}", site.log());
    // what was taken up is remembered: no run at the next start
    site.start();
    site.wait_for("READY=1");
    site.wait_for("STATUS=idle; next 02:30 Europe/Berlin");
    site.signal("INT");
    assert_eq!(site.end(), Some(0), "{}", site.log());
    assert_eq!(site.look().unwrap().runs.len(), 1);
}

#[test]
fn a_good_configuration_is_taken_up_and_a_bad_one_leaves_the_one_before() {
    let world = of_2014();
    let mut site = Site::new(&world);
    site.start();
    site.wait_for("READY=1");
    site.wait_for("STATUS=idle; next");
    let text = fs::read_to_string(site.office.config()).unwrap();
    fs::write(site.office.config(), format!("{text}\nsurprise = 1\n[nonsense]\n")).unwrap();
    site.signal("HUP");
    let said = site.wait_for("RELOADING=1");
    assert!(said.contains("MONOTONIC_USEC="), "{said}");
    site.wait_for("the configuration was refused, the one before it stays");
    site.wait_for("READY=1");
    assert!(site.log().contains("surprise") && site.log().contains("nonsense"), "every fault is named: {}", site.log());
    fs::write(site.folder.path().join("fabrikam2.csv"), "anna@standard.example\n").unwrap();
    fs::write(site.office.config(), format!("{text}\n[[tenant]]\nid = \"fabrikam2\"\nmailboxes = \"fabrikam2.csv\"\n")).unwrap();
    site.signal("HUP");
    site.wait_until("the run of the new tenant", |seen| seen.due.iter().any(|tenant| tenant.as_str() == "fabrikam2"));
    site.signal("TERM");
    assert_eq!(site.end(), Some(0), "{}", site.log());
    let seen = site.look().unwrap();
    assert_eq!(seen.runs.len(), 2, "only the new one was due");
}

#[test]
fn killed_in_a_run_it_goes_on_with_it_at_the_next_start() {
    let world = today();
    let mut site = Site::new(&world);
    site.start();
    site.wait_until("some of the run", |seen| seen.checked > 5);
    site.kill();
    let before = site.look().unwrap();
    assert_eq!((before.runs.len(), before.runs[0].state), (1, RunState::Running), "it was killed in the midst of it");
    site.start();
    let seen = site.wait_until("the end of the run", |seen| seen.due.len() == world.tenants.len());
    assert_eq!((seen.runs.len(), seen.finished(), seen.checked), (1, 1, mailboxes(&world)), "{}", site.log());
}

#[test]
fn stopped_in_a_run_it_records_it_as_interrupted_and_goes_on_with_it() {
    let world = today();
    let mut site = Site::new(&world);
    site.start();
    site.wait_until("some of the run", |seen| seen.checked > 5);
    site.signal("TERM");
    assert_eq!(site.end(), Some(0), "{}", site.log());
    let before = site.look().unwrap();
    assert_eq!((before.runs.len(), before.runs[0].state), (1, RunState::Interrupted));
    assert!(before.due.is_empty() && before.checked < mailboxes(&world));
    site.start();
    let seen = site.wait_until("the end of the run", |seen| seen.due.len() == world.tenants.len());
    assert_eq!((seen.runs.len(), seen.finished(), seen.checked), (1, 1, mailboxes(&world)), "{}", site.log());
}

#[test]
fn an_audit_beside_the_service_asks_it_and_says_what_came_of_it() {
    let world = of_2014();
    let mut site = Site::new(&world);
    site.start();
    site.wait_for("STATUS=idle; next");
    let (code, out, err) = site.run(&["audit"]);
    assert_eq!(code, 1, "{out}{err}{}", site.log());
    let of = mailboxes(&world);
    assert!(out.starts_with("Run 2 is finished after ") && out.contains(&format!("{of} of {of} mailboxes")), "{out}");
    assert!(out.contains(&format!("0 new, 0 changed, {of} unchanged, 0 no longer on the list")), "{out}");
    assert_eq!(site.run(&["audit", "--tenant", "contoso"]).0, 1);
    let (code, _, err) = site.run(&["audit", "--resume"]);
    assert!(code == 3 && err.contains("leave --resume out, or stop the service first"), "{err}");
    // asked twice at one time: one run
    let ask = || site.command(&["audit"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (first, second) = (ask(), ask());
    for asked in [first, second] {
        let (code, out, err) = told(&asked.wait_with_output().unwrap());
        assert_eq!(code, 1, "{out}{err}{}", site.log());
    }
    let seen = site.look().unwrap();
    assert!((4..=5).contains(&seen.runs.len()) && seen.demands.is_empty(), "{seen:?}");
}

#[test]
fn a_list_that_vanishes_is_an_incident_and_is_gone_through_when_it_is_back() {
    let world = of_2014();
    let mut site = Site::new(&world);
    site.start();
    site.wait_for("STATUS=idle; next");
    let list = site.office.list("contoso");
    let text = fs::read_to_string(&list).unwrap();
    fs::remove_file(&list).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let contoso: TenantId = "contoso".to_owned().try_into().unwrap();
    let ask = || {
        runtime.block_on(async {
            let desk = Desk::open(&site.office.database()).await.unwrap();
            desk.demand(std::slice::from_ref(&contoso), 0).await.unwrap();
            desk.close().await;
        });
    };
    ask();
    let is_run = |incident: &&Incident| matches!(&incident.concern, Concern::Run { tenant } if *tenant == contoso);
    let state = |seen: &Seen| seen.incidents.iter().find(is_run).map(|incident| incident.state.as_str());
    let seen = site.wait_until("the incident", |seen| state(seen) == Some("open"));
    let account = &seen.incidents.iter().find(is_run).unwrap().account;
    assert!(account.explanation.contains("contoso.csv cannot be opened"), "{account:?}");
    assert_eq!(seen.checked, mailboxes(&world), "nothing else changes");
    fs::write(&list, format!("{text}\"berta@standard.example\",\"\",,,,\r\n")).unwrap();
    site.signal("HUP");
    // whoever asks while a run goes on is served by it
    let is_over = |seen: &Seen| seen.runs.first().is_some_and(|run| run.finished_at.is_some());
    let seen = site.wait_until("its end", |seen| state(seen) == Some("resolved") && is_over(seen));
    assert_eq!(seen.checked, mailboxes(&world) + 1);
    // much shorter: left as it is
    fs::write(&list, "anna@standard.example\n").unwrap();
    ask();
    let seen = site.wait_until("the incident again", |seen| state(seen) == Some("open"));
    assert_eq!(seen.checked, mailboxes(&world) + 1);
    assert!(site.log().contains("shrunk-list"), "{}", site.log());
}

#[test]
fn a_dead_man_switch_hears_of_each_run_and_the_listener_says_that_all_is_well() {
    let mut site = Site::new(&of_2014());
    let switch = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = site.folder.path().join("heartbeat-url");
    fs::write(&url, format!("http://{}/ping/x\n", switch.local_addr().unwrap())).unwrap();
    let socket = site.folder.path().join("listener");
    let text = fs::read_to_string(site.office.config()).unwrap();
    let text = text.replace("\"off\"", &format!("\"unix:{}\"", socket.display()));
    fs::write(site.office.config(), format!("{text}\n[service]\nheartbeat_url = {{ file = {url:?} }}\n")).unwrap();
    let heard = thread::spawn(move || {
        let mut lines = Vec::new();
        for stream in switch.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            lines.push(line);
        }
        lines
    });
    site.start();
    site.wait_for("STATUS=idle; next");
    assert_eq!(heard.join().unwrap(), ["GET /ping/x/start HTTP/1.1\r\n", "GET /ping/x HTTP/1.1\r\n"], "{}", site.log());
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("scheduler: ok"), "{answer}");
    assert!(!site.log().contains("/ping/"), "the URL is a secret: {}", site.log());
}

#[test]
fn a_list_that_is_missing_at_the_start_stops_nothing_else() {
    let world = today();
    let mut site = Site::new(&world);
    let list = site.office.list("contoso");
    let text = fs::read_to_string(&list).unwrap();
    fs::remove_file(&list).unwrap();
    site.start();
    site.wait_for("READY=1");
    let state = |seen: &Seen| {
        let is_run = |incident: &&Incident| matches!(&incident.concern, Concern::Run { tenant } if tenant.as_str() == "contoso");
        seen.incidents.iter().find(is_run).map(|incident| incident.state.as_str())
    };
    let seen = site.wait_until("the incident", |seen| state(seen) == Some("open"));
    assert_eq!(seen.checked, mailboxes(&world) - world.tenant("contoso").mailboxes.len() as u64, "the other tenants are audited");
    let (code, out, err) = site.run(&["incidents", "list"]);
    assert!(code <= 1 && out.contains("the run of contoso"), "{code} {out}{err}");
    let (code, _, err) = site.run(&["config", "check"]);
    assert!(code == 3, "{err}");
    fs::write(&list, text).unwrap();
    site.signal("HUP");
    let seen = site.wait_until("its end", |seen| state(seen) == Some("resolved"));
    assert_eq!(seen.checked, mailboxes(&world));
}

#[test]
fn new_mailboxes_of_a_list_are_looked_at_soon() {
    let world = of_2014();
    let mut site = Site::new(&world);
    site.start();
    site.wait_for("STATUS=idle; next");
    let asked = site.fakenet.http_requests();
    let list = site.office.list("contoso");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{text}\"berta@standard.example\",\"\",,,,\r\n")).unwrap();
    site.signal("HUP");
    let seen = site.wait_until("the new mailbox", |seen| seen.checked == mailboxes(&world) + 1);
    assert_eq!(seen.incidents.iter().filter(|incident| incident.concern.kind() == "run").count(), 0);
    assert!(site.fakenet.http_requests() - asked < asked / 2, "only its domain was asked about");
}

#[test]
fn what_is_wrong_at_the_start_is_said_with_what_to_do() {
    let site = Site::new(&of_2014());
    let serve = |site: &Site| site.run(&["serve"]);
    let text = fs::read_to_string(site.office.config()).unwrap();
    fs::write(site.office.config(), format!("{text}\n[nonsense]\n")).unwrap();
    let (code, _, err) = serve(&site);
    assert!(code == 3 && err.contains("nonsense"), "{err}");
    fs::write(site.office.config(), &text).unwrap();
    fs::write(site.office.database(), "no database at all, but long enough to look like one").unwrap();
    let (code, _, err) = serve(&site);
    assert!(code == 4 && err.contains("audit.db"), "{err}");
}

const PATIENCE: Duration = Duration::from_mins(1);
