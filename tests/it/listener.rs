//! The read-only listener, over real sockets.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use autodiscover_audit::{
    clock::Clock,
    config::{ListenAddress, ListenerSettings},
    daemon::{
        Pulse,
        listener::{Basis, Listener, ListenerError, State, Token},
    },
    model::{Address, Domain, Mailbox, Profile, TenantId},
    report::{CsvDialect, Format, Head, Request, Selection, write_report},
    store::{DomainBatch, Entry, ReportFilter, RunState, Store},
};
use sqlx::{Connection as _, SqliteConnection};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::report;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_760_000_200;

/// A listener with a database behind it.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) pulse: Arc<Pulse>,
    address: SocketAddr,
    basis: watch::Sender<Arc<Basis>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn clock() -> Clock {
    Clock::from_fn(|| jiff::Timestamp::from_second(NOW).unwrap())
}

fn basis(token: Option<&str>) -> Arc<Basis> {
    Arc::new(Basis {
        token: token.map(|token| Token::new(&token.into()).unwrap()),
        clients: ["thunderbird", "mx-base-domain", "srv"].map(str::to_owned).into(),
        remedies: Arc::new(report::remedies()),
        channels: ["ops", "held", "paused"].map(str::to_owned).into(),
    })
}

fn settings(address: &str) -> ListenerSettings {
    ListenerSettings { address: address.parse().unwrap(), names: vec!["audit.contoso.com".into()], token: None }
}

impl Site {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = report::world(&folder).await;
        Self::over(folder, store)
    }

    fn over(folder: tempfile::TempDir, store: Store) -> Self {
        let listener = Listener::bind(&settings("127.0.0.1:0")).unwrap().unwrap();
        let (pulse, stop) = (Arc::new(Pulse::new(clock())), CancellationToken::new());
        pulse.beat();
        pulse.ping_store();
        let (sender, receiver) = watch::channel(basis(Some(TOKEN)));
        let state = State { reader: store.reader().clone(), pulse: pulse.clone(), clock: clock(), basis: receiver };
        let address = listener.local_address().unwrap();
        #[expect(clippy::disallowed_methods, reason = "joined at the end of the test")]
        let task = tokio::spawn(listener.serve(state, stop.clone()));
        Self { folder, store, pulse, address, basis: sender, stop, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    async fn ask(&self, request: &str) -> Answer {
        exchange(TcpStream::connect(self.address).await.unwrap(), request).await
    }

    pub(crate) async fn read(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n")).await
    }

    /// Asks for the report and reads nothing of it.
    async fn stall(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream
            .write_all(format!("GET /report HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        // its head is there: it has begun
        stream.readable().await.unwrap();
        stream
    }

    pub(crate) async fn sql(&self, statement: &'static str) {
        let mut connection = SqliteConnection::connect(self.database().to_str().unwrap()).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// What came back; the body is whole.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end =
            bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
        let (head, body) = (String::from_utf8(bytes[..end].to_vec()).unwrap(), &bytes[end + 4..]);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        let body = if head.contains("transfer-encoding: chunked") { unchunk(body) } else { body.to_vec() };
        Self { status, head, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// The body of a chunked answer; a body without its end is none.
fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + length + 4..];
    }
    if body.is_empty() { body } else { panic!("the body is cut short") }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::parse(&bytes)
}

/// A database whose report is larger than what sockets keep.
async fn large() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let store = report::world(&folder).await;
    let tenant = TenantId::try_from("contoso".to_owned()).unwrap();
    let run = store.begin_run(&[(tenant.clone(), "Contoso Ltd".to_owned(), 6_000)], NOW - 60).await.unwrap();
    let domain = Domain::parse("large.example").unwrap();
    let outcome = Arc::new(report::wordy("much to say. ".repeat(300)));
    let mailbox = |n: u32| Mailbox {
        address: Address::parse(&format!("user{n:05}@large.example")).unwrap(),
        profile: Arc::new(Profile::default()),
        person: None,
    };
    let mailboxes: Vec<Mailbox> = (0..6_000).map(mailbox).collect();
    let entries: Vec<Entry<'_>> = mailboxes.iter().map(|mailbox| Entry { mailbox, outcome: &outcome }).collect();
    let batch =
        DomainBatch { run, tenant: &tenant, domain: &domain, list: [1; 32], entries: &entries, dossier: None, done: true, at: NOW - 30 };
    store.record(batch).await.unwrap();
    store.finish_run(run, RunState::Finished, NOW - 20).await.unwrap();
    Site::over(folder, store)
}

#[tokio::test]
async fn every_answer_is_dressed_and_every_wrong_request_refused() {
    let site = Site::new().await;
    for (request, status) in [
        ("GET /livez HTTP/1.1\r\nHost: localhost:9843\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost: [::1]:1\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost: Audit.Contoso.com\r\n", 200),
        ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost: evil.example\r\n", 421),
        ("GET /livez HTTP/1.1\r\nHost: localhost.evil.example\r\n", 421),
        ("GET /livez HTTP/1.1\r\n", 400),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n", 400),
        ("GET http://localhost/livez HTTP/1.1\r\nHost: evil.example\r\n", 421),
        ("POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n", 405),
        ("DELETE /report HTTP/1.1\r\nHost: localhost\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n", 405),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n", 413),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n", 413),
        ("GET /livez/ HTTP/1.1\r\nHost: localhost\r\n", 404),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n", 404),
        ("GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n", 404),
    ] {
        let answer = site.ask(&format!("{request}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.head);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{request}");
        }
        assert_eq!(answer.header("allow").is_some(), status == 405, "{request}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_or_too_slow_ends_the_connection() {
    let site = Site::new().await;
    let many = "X-Many: y\r\n".repeat(100);
    let long = format!("X: {}\r\n", "y".repeat(20_000));
    for extra in [many, long] {
        let answer = site.ask(&format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n")).await;
        assert_eq!(answer.status, 431, "{}", answer.head);
    }
    let mut slow = TcpStream::connect(site.address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost:").await.unwrap();
    // another request is answered: the listener has seen the slow one
    assert_eq!(site.read("/livez").await.status, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    let mut rest = Vec::new();
    // closed at once, with or without a word; the deadline is for the test to fail
    let closed = tokio::time::timeout(Duration::from_secs(5), slow.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the slow one is still there");
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    site.stop().await;
}

#[tokio::test]
async fn readiness_tells_of_database_scheduler_and_outbox() {
    let site = Site::new().await;
    let ready = site.read("/readyz").await;
    assert_eq!((ready.status, ready.text()), (200, "ready\n"));
    assert_eq!(site.read("/readyz?verbose").await.text(), "database: ok\nscheduler: ok\noutbox: ok\n");

    // a channel that waits for its time, one that is paused, one that nobody knows any more, and an earlier notice in the way
    site.sql(
        "INSERT INTO channel (name, not_before, paused_at, pause_reason, retry_at) VALUES
           ('held', 1760009999, NULL, NULL, NULL), ('paused', 0, 1, 'gone', 1760009999);
         INSERT INTO notice (id, channel, stream, after, through, state, is_frozen, created_at, attempts, next_at) VALUES
           ('a', 'held', 's', 0, 1, 'queued', 0, 1, 0, 1), ('b', 'paused', 's', 0, 1, 'queued', 0, 1, 0, 1),
           ('c', 'removed', 's', 0, 1, 'queued', 0, 1, 0, 1),
           ('d', 'ops', 's', 0, 1, 'queued', 0, 1, 3, 1760009999), ('e', 'ops', 's', 1, 2, 'queued', 0, 1, 0, 1);",
    )
    .await;
    assert_eq!(site.read("/readyz").await.status, 200);
    site.sql("INSERT INTO notice (id, channel, stream, after, through, state, is_frozen, created_at, attempts, next_at) VALUES ('f', 'ops', 't', 0, 1, 'queued', 0, 1, 0, 1);").await;
    let stuck = site.read("/readyz").await;
    assert_eq!((stuck.status, stuck.text()), (503, "not ready: outbox\n"));

    site.pulse.set_disk_low(true);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(100)).await;
    tokio::time::resume();
    assert_eq!(
        site.read("/readyz?verbose").await.text(),
        "database: the disk is nearly full\nscheduler: the scheduler has been silent for 100 s\noutbox: stuck for ops\n"
    );
    assert_eq!(site.read("/livez").await.status, 200, "not ready is not dead");
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(5)).await;
    tokio::time::resume();
    assert_eq!(site.read("/livez").await.status, 503);
    site.pulse.beat();
    assert_eq!(site.read("/livez").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_makes_it_unready_and_leaves_the_rest() {
    let site = Site::new().await;
    site.sql("DROP TABLE notice;").await;
    let ready = site.read("/readyz?verbose").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().starts_with("database: it cannot be read\nscheduler: ok\n"), "{}", ready.text());
    let metrics = site.read("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("autodiscover_audit_ready{check=\"database\"} 0\n"), "{}", metrics.text());
    assert!(!metrics.text().contains("autodiscover_audit_store_bytes"));
    site.stop().await;
}

#[tokio::test]
async fn no_token_no_report() {
    let site = Site::new().await;
    let ask = async |authorization: &str| {
        let answer = site.ask(&format!("GET /report HTTP/1.1\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n")).await;
        let has_mailboxes = answer.body.windows(11).any(|some| some == b"contoso.com");
        (answer.status, answer.header("www-authenticate").map(str::to_owned), has_mailboxes)
    };
    let realm = "bearer realm=\"autodiscover-audit\"";
    assert_eq!(ask("").await, (401, Some(realm.to_owned()), false));
    let wrong = ask(&format!("Authorization: Bearer {}\r\n", TOKEN.replace('0', "1"))).await;
    assert_eq!(wrong, (401, Some(format!("{realm}, error=\"invalid_token\"")), false));
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(ask(&right).await, (200, None, true));
    site.basis.send_replace(basis(None));
    assert_eq!(ask(&right).await, (404, None, false), "a reload took the token away");
    site.stop().await;
}

#[tokio::test]
async fn wrong_tokens_are_few_at_a_time() {
    let site = Site::new().await;
    let wrong = "GET /report HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nConnection: close\r\n\r\n";
    let answers = futures_util::future::join_all((0..12).map(|_| site.ask(wrong))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert!(count(401) >= 4 && count(429) >= 1 && count(401) + count(429) == 12, "{answers:?}");
    site.stop().await;
}

#[tokio::test]
async fn the_report_is_that_of_the_command_line() {
    let site = Site::new().await;
    let remedies = report::remedies();
    let by_hand = Selection { needs_manual: true, ..Selection::default() };
    let only =
        Selection { verdicts: vec![autodiscover_audit::model::Verdict::Foreign], clients: vec!["thunderbird".into()], ..by_hand.clone() };
    for (query, format, selection, tenant) in [
        ("", Format::Json, Selection::default(), None),
        ("?format=jsonl", Format::Jsonl, Selection::default(), None),
        ("?format=csv&needs_manual=true", Format::Csv(CsvDialect::Rfc4180), by_hand.clone(), None),
        ("?format=csv&csv_dialect=excel&tenant=fabrikam&run=1", Format::Csv(CsvDialect::Excel), Selection::default(), Some("fabrikam")),
        ("?needs_manual=true&verdict=foreign&client=thunderbird", Format::Json, only, None),
    ] {
        let tenant = tenant.map(|id| TenantId::try_from(id.to_owned()).unwrap());
        let run = query.contains("run=1").then(|| site.store.reader()).map(|_| autodiscover_audit::store::RunId(1));
        let request = Request {
            filter: ReportFilter { tenant, run, needs_manual: false },
            selection,
            format,
            generated_at: NOW,
            remedies: &remedies,
        };
        let mut expected = Vec::new();
        let mut snapshot = site.store.reader().snapshot().await.unwrap();
        let head = Head::read(&mut snapshot, &request).await.unwrap();
        write_report(&mut snapshot, (&request, &head), &mut expected).await.unwrap();
        let answer = site.read(&format!("/report{query}")).await;
        assert_eq!((answer.status, answer.text()), (200, std::str::from_utf8(&expected).unwrap()), "{query}");
    }
    for (query, status, words) in [
        ("?format=text", 400, "format: write csv, json or jsonl\n"),
        ("?run=99", 404, "the database has no run 99\n"),
        ("?tenant=nobody", 404, "the database has no tenant `nobody`\n"),
    ] {
        let answer = site.read(&format!("/report{query}")).await;
        assert_eq!((answer.status, answer.text()), (status, words), "{query}");
    }
    let head = format!("HEAD /report?format=csv HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n");
    let head = site.ask(&head).await;
    assert_eq!((head.status, head.header("content-type"), head.body.len()), (200, Some("text/csv; charset=utf-8; header=present"), 0));
    assert_eq!(head.header("content-disposition"), Some("attachment; filename=\"autodiscover-audit.csv\""));
    site.stop().await;
}

#[tokio::test]
async fn readers_that_stall_hold_two_slots_and_nothing_of_the_database() {
    let site = large().await;
    let (one, two) = (site.stall().await, site.stall().await);
    let third = site.read("/report").await;
    assert_eq!((third.status, third.header("retry-after")), (503, Some("10")));
    assert_eq!(site.read("/readyz").await.status, 200, "the rest goes on");

    // nobody reads from the database: its log can be written back whole
    let mut connection = SqliteConnection::connect(site.database().to_str().unwrap()).await.unwrap();
    let row: (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.0, 0, "the log is held");
    connection.close().await.unwrap();

    drop(one);
    let whole = loop {
        let answer = site.read("/report?format=jsonl").await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!((whole.status, whole.text().lines().count()), (200, 6_027));
    drop(two);
    site.stop().await;
}

#[tokio::test]
async fn a_reader_that_stalls_is_cut() {
    let site = large().await;
    let mut stalled = site.stall().await;
    // the second report is whole, so the first has long filled its socket
    assert_eq!(site.read("/report?format=jsonl").await.status, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let mut got = Vec::new();
    let ended = stalled.read_to_end(&mut got).await;
    assert!(ended.is_err() || !got.ends_with(b"0\r\n\r\n"), "{} bytes, and the end", got.len());
    site.stop().await;
}

#[tokio::test]
async fn it_stops_although_others_hold_on() {
    let site = large().await;
    let (stalled, mut idle) = (site.stall().await, TcpStream::connect(site.address).await.unwrap());
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    idle.readable().await.unwrap();
    let address = site.address;
    site.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    drop((stalled, idle));
}

#[tokio::test]
async fn a_socket_in_the_file_system_is_for_owner_and_group() {
    let site = Site::new().await;
    let path = site.folder.path().join("http.sock");
    let named = settings(&format!("unix:{}", path.display()));
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&named).unwrap().expect("that of a process that is gone makes room");
    let found = std::fs::metadata(&path).unwrap();
    assert!(found.file_type().is_socket() && found.permissions().mode() & 0o777 == 0o660, "{found:?}");
    assert!(matches!(Listener::bind(&named), Err(ListenerError::Taken { .. })), "another one is at work");
    let stop = CancellationToken::new();
    let state = State { reader: site.store.reader().clone(), pulse: site.pulse.clone(), clock: clock(), basis: site.basis.subscribe() };
    let asking = async {
        // any name: no browser reaches it
        let answer =
            exchange(UnixStream::connect(&path).await.unwrap(), "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        stop.cancel();
        answer
    };
    let ((), answer) = tokio::join!(listener.serve(state, stop.clone()), asking);
    assert_eq!((answer.status, answer.text()), (200, "ready\n"));
    assert!(!path.exists());

    std::fs::write(&path, "a file").unwrap();
    assert!(matches!(Listener::bind(&named), Err(ListenerError::Taken { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
    site.stop().await;
}

#[tokio::test]
async fn a_taken_address_is_told_and_off_is_nowhere() {
    let site = Site::new().await;
    assert!(matches!(Listener::bind(&settings(&site.address.to_string())), Err(ListenerError::Bind { .. })));
    assert!(Listener::bind(&ListenerSettings { address: ListenAddress::Off, ..ListenerSettings::default() }).unwrap().is_none());
    assert!(Path::new(&site.database()).exists());
    site.stop().await;
}
