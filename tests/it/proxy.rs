//! The built binary behind a proxy: what the proxy could not deliver is a failure, unless our DNS knows better.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::{
    cli::{program, told},
    fakenet::{Fakenet, world::past::of_2014, zone::Data},
};

/// Says one thing to all who ask, until it is told to end.
struct Proxy {
    address: SocketAddr,
    served: Option<JoinHandle<Vec<String>>>,
}

impl Proxy {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let mut lines = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                reader.read_line(&mut line).unwrap();
                if line.starts_with("END") {
                    break;
                }
                let mut header = String::new();
                while reader.read_line(&mut header).unwrap() > 2 {
                    header.clear();
                }
                write!(stream, "HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
                lines.push(line);
            }
            lines
        });
        Self { address, served: Some(served) }
    }

    /// The first line of each request.
    fn end(mut self) -> Vec<String> {
        TcpStream::connect(self.address).unwrap().write_all(b"END\r\n").unwrap();
        self.served.take().unwrap().join().unwrap()
    }
}

/// What every lookup came to (`asked` and `outcome`), what the proxy was asked, and the verdict.
fn check_behind(status: u16, outside: bool) -> (Vec<(String, String)>, Vec<String>, String) {
    let mut world = of_2014();
    let zones = &mut Arc::make_mut(&mut world.net).zones;
    zones.add("proxy.example", Data::A(Ipv4Addr::LOCALHOST));
    if outside {
        zones.add("standard.example", Data::Ns("ns.hoster.example".to_owned()));
        zones.add("ns.hoster.example", Data::A(Ipv4Addr::new(9, 9, 9, 9)));
    }
    let fakenet = Fakenet::start_beside(&world.net).unwrap();
    let proxy = Proxy::start(status);
    let url = format!("http://proxy.example:{}", proxy.address.port());
    let dns = fakenet.network_settings().dns_servers[0].to_string();
    let mut command = program();
    command.args(["check", "anna@standard.example", "--client", "thunderbird", "--format", "jsonl", "--dns-server", &dns]);
    let (_, out, err) = told(&command.env("HTTP_PROXY", &url).env("HTTPS_PROXY", &url).output().unwrap());
    let report: Value = serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lookups = report["lookups"].as_array().unwrap();
    let outcomes = lookups.iter().map(|lookup| (text(&lookup["asked"]), text(&lookup["outcome"]))).collect();
    (outcomes, proxy.end(), text(&report["clients"][0]["verdict"]))
}

#[test]
fn what_a_proxy_cannot_deliver_has_failed_where_dns_does_not_see_the_outside() {
    let told = thread::scope(|scope| {
        [407, 502, 503, 504].map(|status| scope.spawn(move || (status, check_behind(status, false)))).map(|one| one.join().unwrap())
    });
    for (status, (outcomes, lines, verdict)) in told {
        assert!(lines.iter().any(|line| line.starts_with("GET http://autoconfig.standard.example/")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("CONNECT autoconfig.standard.example:443 ")), "{lines:?}");
        for (asked, outcome) in &outcomes {
            let is_known_inside = ["MX standard.example", "A standard.example"].contains(&asked.as_str());
            let expected = if is_known_inside { "found" } else { "failed" };
            assert_eq!(outcome, expected, "{status} {asked}");
        }
        assert_eq!(verdict, "undetermined", "{status}");
    }
}

#[test]
fn what_a_proxy_cannot_deliver_is_absent_where_dns_sees_the_outside_and_knows_no_such_host() {
    let (outcomes, lines, verdict) = check_behind(503, true);
    assert!(lines.iter().any(|line| line.starts_with("CONNECT autoconfig.standard.example:443 ")), "{lines:?}");
    let of = |start: &str| -> Vec<&str> {
        outcomes.iter().filter(|(asked, _)| asked.starts_with(start)).map(|(_, outcome)| outcome.as_str()).collect()
    };
    assert_eq!(of("http://autoconfig.standard.example/"), ["absent"], "{outcomes:?}");
    assert_eq!(of("https://autoconfig.standard.example/"), ["absent"], "{outcomes:?}");
    assert!(of("https://autoconfig.thunderbird.net/").iter().all(|outcome| *outcome == "failed"), "a host that is there: {outcomes:?}");
    assert_eq!(verdict, "undetermined", "the database could have won");
    let (outcomes, ..) = check_behind(407, true);
    let plain: Vec<_> = outcomes.iter().filter(|(asked, _)| asked.starts_with("http://")).collect();
    assert!(!plain.is_empty() && plain.iter().all(|(_, outcome)| outcome == "failed"), "a 407 is about the proxy: {outcomes:?}");
}
