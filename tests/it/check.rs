//! `check`, driven as its user would.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use autodiscover_audit::model::Cloud;
use serde_json::Value;

use crate::{
    cli::{AUDITED, Site, client, program, told},
    fakenet::{
        microsoft::{Tenancy, V2},
        site::{self, Act},
        world::{bench::bench, documents, past::of_2014, today::today},
        zone::Data,
    },
};

#[test]
fn check_writes_the_json_contract() {
    let site = Site::new(&today()).looking_at(&["thunderbird"], &["mx-base-domain", "srv"]);
    let (code, out, _) = site.run(&["check", "anna@standard.example", "--format", "json"]);
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0, "fragile and at risk is no finding");
    assert_eq!(view["schema"], "autodiscover-audit/check/1");
    assert_eq!(view["address"], "anna@standard.example");
    assert_eq!(view["hosting"], "exchange-online");
    assert_eq!(view["needs_manual_configuration"], false);
    let thunderbird = client(&view, "thunderbird");
    let summary = ["client", "audited", "verdict", "fragile", "inferred", "cause"].map(|key| thunderbird[key].to_string()).join(" ");
    assert_eq!(summary, r#""thunderbird" true "ok" true false "mx-base-domain""#);
    assert_eq!(thunderbird["source"]["lookup"], "mx-ispdb");
    assert_eq!(thunderbird["source"]["asked"], "https://live.thunderbird.net/autoconfig/v1.1/mail.protection.outlook.com");
    let smtp = &thunderbird["outgoing"][0];
    let keys: Vec<&String> = smtp.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["protocol", "host", "port", "security", "auth", "username", "class"]);
    assert_eq!(smtp["username"], "anna@standard.example");
    assert_eq!(thunderbird["next"]["outgoing"][0]["class"], "consumer");
    let srv = client(&view, "srv");
    assert!(srv["source"].is_null() && srv["incoming"].as_array().unwrap().is_empty() && srv["outgoing"].as_array().unwrap().is_empty());
    for (at, lookup) in view["lookups"].as_array().unwrap().iter().enumerate() {
        assert_eq!(lookup["id"], at + 1);
        assert!(["lookup", "asked", "outcome", "detail", "took_ms"].iter().all(|key| !lookup[key].is_null()), "{lookup}");
    }
}

#[test]
fn a_check_audits_the_clients_that_must_be_served_and_tells_the_others_apart() {
    let site = Site::new(&today());
    let names = |audited: bool| {
        let (code, out, err) = site.run(&["check", "anna@standard.example", "--format", "json"]);
        let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let clients = view["clients"].as_array().unwrap().iter().filter(|client| client["audited"] == audited);
        (code, clients.map(|client| client["client"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(names(true), (1, AUDITED.map(str::to_owned).to_vec()));
    let at_risk = names(false).1;
    assert!(at_risk.len() > 10 && at_risk.contains(&"mx-base-domain".to_owned()), "{at_risk:?}");
    assert!(
        ["apple-mail", "mailspring-microsoft-365", "pacc", "jmap"].iter().all(|name| !at_risk.contains(&(*name).to_owned())),
        "{at_risk:?}"
    );
    let text = fs::read_to_string(site.office.config()).unwrap();
    fs::write(site.office.config(), format!("at_risk_clients = [\"kmail\", \"srv\"]\n{text}")).unwrap();
    assert_eq!(names(true).1, AUDITED);
    assert_eq!(names(false).1, ["kmail"]);
}

#[test]
fn check_works_without_configuration_on_options_alone() {
    let site = Site::new(&today());
    let settings = site.fakenet.network_settings();
    let of_all = settings.connect_to.iter().filter(|detour| detour.host.is_none());
    let detours: Vec<String> = of_all.map(|detour| format!(":{}::{}", detour.port, detour.to_port.unwrap())).collect();
    let check = |address: &str, extra: &[&str]| {
        let mut command = program();
        command.args(["check", address, "--client", "thunderbird", "--format", "jsonl"]);
        command.arg("--dns-server").arg(settings.dns_servers[0].to_string()).arg("--ca-file").arg(site.fakenet.ca_file());
        command.args(detours.iter().flat_map(|detour| ["--connect-to", detour.as_str()])).args(extra);
        told(&command.output().unwrap())
    };
    let (code, out, err) = check("anna@stale.example", &["--allow-network", "127.0.0.0/8"]);
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    assert_eq!((code, view["clients"].as_array().unwrap().len()), (1, 1));
    assert_eq!(view["clients"][0]["verdict"], "consumer");
    let (_, refused, _) = check("anna@stale.example", &[]);
    assert!(refused.contains("private or special network"), "loopback is refused unless it is allowed: {refused}");
    let (code, out, _) = check("anna@stale.example", &["--allow-network", "127.0.0.0/8", "--hosting", "consumer"]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()["clients"][0]["verdict"].as_str()), (0, Some("ok")));
}

#[test]
fn the_environment_can_name_the_authorities() {
    let site = Site::new(&of_2014());
    let text = fs::read_to_string(site.office.config()).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("ca_files")).collect();
    fs::write(site.office.config(), without.join("\n")).unwrap();
    let check = ["check", "anna@own-good.example", "--client", "thunderbird", "--format", "jsonl"];
    let (_, untrusted, _) = site.run(&check);
    assert!(untrusted.contains("issuer is not trusted"), "{untrusted}");
    let output = site.command(&check).env("SSL_CERT_FILE", site.fakenet.ca_file()).output().unwrap();
    let (code, trusted, err) = told(&output);
    assert_eq!(code, 0, "{trusted}{err}");
    assert!(!trusted.contains("issuer is not trusted"));
    let empty = site.path("empty.pem");
    fs::write(&empty, "").unwrap();
    let mut command = site.command(&check);
    let output = command.env("SSL_CERT_FILE", &empty).arg("--ca-file").arg(site.fakenet.ca_file()).output().unwrap();
    assert_eq!(told(&output).0, 0, "a file of our own is enough where the system has no authority: {}", told(&output).2);
}

#[test]
fn a_proxy_may_have_a_private_address_and_resolves_the_names() {
    let mut world = of_2014();
    Arc::make_mut(&mut world.net).zones.add("proxy.example", Data::A(Ipv4Addr::LOCALHOST));
    let site = Site::new(&world);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://proxy.example:{}", listener.local_addr().unwrap().port());
    let dns = site.fakenet.network_settings().dns_servers[0].to_string();
    let served = thread::spawn(move || {
        let mut lines = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if line.starts_with("END") {
                return lines;
            }
            lines.push(line);
        }
        lines
    });
    let mut command = program();
    command.args(["check", "anna@standard.example", "--client", "thunderbird", "--format", "jsonl", "--dns-server", &dns]);
    let (_, out, err) = told(&command.env("HTTP_PROXY", &proxy).output().unwrap());
    TcpStream::connect(("127.0.0.1", proxy.rsplit(':').next().unwrap().parse().unwrap())).unwrap().write_all(b"END\r\n").unwrap();
    let lines = served.join().unwrap();
    assert!(lines.iter().any(|line| line.starts_with("GET http://autoconfig.standard.example/mail/config-v1.1.xml?")), "{lines:?}{err}");
    assert!(out.contains("private or special network"), "beside the proxy, loopback is refused as ever: {out}");
}

#[test]
fn several_addresses_come_from_arguments_and_from_standard_input() {
    let site = Site::new(&of_2014());
    let list = site.path("addresses.txt");
    fs::write(&list, "anna@standard.example\n\nanna@own-good.example\n").unwrap();
    let mut command = site.command(&["check", "-", "anna@hotmail.de", "--format", "jsonl"]);
    let (code, out, _) = told(&command.stdin(fs::File::open(&list).unwrap()).output().unwrap());
    let addresses: Vec<String> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["address"].as_str().unwrap().to_owned()).collect();
    assert_eq!(addresses, ["anna@standard.example", "anna@own-good.example", "anna@hotmail.de"]);
    assert_eq!(code, 1);
}

#[test]
fn the_source_of_a_verdict_is_one_of_the_lookups_whatever_the_address_holds() {
    let site = Site::new(&today());
    let (code, out, err) = site.run(&["check", "a+b&c'd@own-good.example", "--client", "thunderbird", "--format", "json"]);
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    let source = &view["clients"][0]["source"]["asked"];
    assert_eq!((code, source.as_str().unwrap().ends_with("?emailaddress=a%2Bb%26c'd%40own-good.example")), (0, true), "{source}");
    assert!(view["lookups"].as_array().unwrap().iter().any(|lookup| lookup["asked"] == *source), "{out}");
}

#[test]
fn one_object_is_for_one_address_and_one_host_is_no_url() {
    let site = Site::new(&today());
    let relay = ["check", "anna@relay-unknown.example", "--client", "thunderbird", "--allow-host"];
    assert_eq!(site.run(&[&relay[..], &["Outgoing.Relay-Unknown.EXAMPLE."]].concat()).0, 0);
    let (code, _, err) = site.run(&[&relay[..], &["https://outgoing.relay-unknown.example/"]].concat());
    assert!(code == 3 && err.contains("without scheme"), "{err}");
    let (code, out, err) = site.run(&["check", "anna@own-good.example", "bert@own-good.example", "--format", "json"]);
    assert!(code == 3 && out.is_empty() && err.contains("jsonl"), "{err}");
}

#[test]
fn a_tenant_says_whose_the_mailboxes_are() {
    let site = Site::new(&today());
    let check = |address: &str, more: &[&str]| {
        let (code, out, err) = site.run(&[&["check", address, "--format", "jsonl"], more].concat());
        (code, serde_json::from_str::<Value>(&out).unwrap_or_default(), err)
    };
    let verdict = |view: &Value| client(view, "thunderbird")["verdict"].as_str().unwrap().to_owned();
    let (alone, campus) = (check("anna@campus.example", &[]), check("anna@campus.example", &["--tenant", "campus"]));
    assert_eq!((alone.0, verdict(&alone.1)), (1, "foreign".to_owned()), "{}", alone.2);
    assert_eq!((campus.0, verdict(&campus.1)), (0, "ok".to_owned()), "{}", campus.2);
    let audited = campus.1["clients"].as_array().unwrap().iter().filter(|client| client["audited"] == true);
    assert_eq!(audited.map(|client| client["client"].as_str().unwrap()).collect::<Vec<_>>(), ["thunderbird"]);
    let (_, agency, _) = check("anna@agency.example", &["--tenant", "agency"]);
    assert_eq!((&agency["hosting"], &agency["cloud"]), (&"exchange-online".into(), &"us-government".into()));
    let (_, other, _) = check("anna@agency.example", &["--tenant", "agency", "--hosting", "other", "--client", "srv"]);
    assert_eq!((&other["hosting"], other["clients"].as_array().unwrap().len()), (&"other".into(), 1), "options come first");
    let (code, _, err) = check("anna@agency.example", &["--tenant", "nobody"]);
    assert!(code == 3 && err.contains("`nobody` is no tenant of the configuration: write one of contoso"), "{err}");
    let (code, _, err) = told(&program().args(["check", "anna@agency.example", "--tenant", "agency"]).output().unwrap());
    assert!(code == 3 && err.contains("--config"), "{err}");
}

#[test]
fn the_settings_of_a_mailbox_are_read_in_the_cloud_of_its_tenant() {
    let site = Site::new(&today());
    fs::write(site.path("token"), "token").unwrap();
    let config = fs::read_to_string(site.office.config()).unwrap();
    let with_token = "autodiscover-soap = { bearer_token = { file = \"token\" }, ";
    fs::write(site.office.config(), config.replace("autodiscover-soap = { ", with_token)).unwrap();
    // what is assumed is asked for by a network of its own
    for assumed in [&[][..], &["--assume", "MX agency.example = 0 agency-example.mail.protection.office365.us"]] {
        let before = site.fakenet.seen().len();
        let (_, out, err) = site.run(&[&["check", "anna@agency.example", "--tenant", "agency", "--format", "json"], assumed].concat());
        let view: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        assert_eq!(view["address"], "anna@agency.example");
        let seen = site.fakenet.seen().split_off(before);
        let hosts: Vec<String> = seen.into_iter().filter(|seen| seen.path.ends_with("/autodiscover.svc")).map(|seen| seen.host).collect();
        assert!(!hosts.is_empty() && hosts.iter().all(|host| host == "autodiscover-s.office365.us"), "{hosts:?}");
    }
    let (_, out, _) = site.run(&["check", "anna@own-good.example", "--format", "json"]);
    assert!(out.contains("autodiscover-s.outlook.com/autodiscover/autodiscover.svc") && !out.contains("office365.us"), "{out}");
}

#[test]
fn a_client_on_request_is_looked_at_where_it_is_named_and_nowhere_else() {
    let site = Site::new(&bench(4, 8));
    let names =
        |object: &Value| object["clients"].as_array().unwrap().iter().map(|client| client["client"].to_string()).collect::<Vec<_>>();
    let check = |more: &[&str]| {
        let (code, out, err) = site.run(&[&["check", "u1@d1.example", "--format", "jsonl"], more].concat());
        (code, names(&serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"))))
    };
    let client = |name: &str| {
        format!(
            "[[client]]\nname = {name:?}\ntitle = {name:?}\nversions = \"all\"\ndialect = \"tolerant\"\nstanding = \"on-request\"\n\
             sources = [\"its manual\"]\n[[client.step]]\nlookup = \"own-autoconfig\"\nsource = \"its manual\"\n\
             urls = [\"https://autoconfig.{{domain}}/mail/config-v1.1.xml\"]\n"
        )
    };
    fs::write(site.path("clients.toml"), client("day-app") + &client("night-app")).unwrap();
    let text = format!("clients_file = \"clients.toml\"\n{}", fs::read_to_string(site.office.config()).unwrap());
    fs::write(site.office.config(), &text).unwrap();
    let unasked = check(&[]).1;
    assert!(unasked.contains(&r#""thunderbird""#.to_owned()) && unasked.iter().all(|name| !name.ends_with(r#"-app""#)), "{unasked:?}");
    let both = (0, vec![r#""day-app""#.to_owned(), r#""night-app""#.to_owned()]);
    assert_eq!(check(&["--client", "night-app", "--client", "day-app"]), both);

    fs::write(site.office.config(), text.replace(r#"clients = ["thunderbird"]"#, r#"clients = ["day-app"]"#)).unwrap();
    fs::write(site.office.list("bench"), "address,clients\nu1@d1.example,\nu2@d2.example,night-app\n").unwrap();
    let (_, out, err) = site.run(&["audit"]);
    let (_, report, _) = site.run(&["report", "--format", "jsonl"]);
    let told: Vec<Vec<String>> = report.lines().map(|line| names(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(told.len(), 2, "{report}{out}{err}");
    let has = |at: usize, name: &str| told[at].contains(&format!("\"{name}\""));
    assert_eq!([has(0, "day-app"), has(0, "night-app"), has(1, "day-app"), has(1, "night-app")], [true, false, true, true]);
}

#[test]
fn a_chain_of_redirects_that_is_too_long_for_us_is_a_doubt_and_no_end() {
    let (mut world, host) = (today(), "autodiscover.chain.example");
    let net = Arc::make_mut(&mut world.net);
    let mut site = site::Site::empty();
    for number in 1..5 {
        site = site.https(&format!("/v2/{number}"), Act::redirect(302, format!("https://{host}/v2/{}", number + 1)));
    }
    let named = format!(r#"{{"Protocol":"AutodiscoverV1","Url":"https://{host}/pox/0"}}"#);
    site = site.https("/v2/5", Act::json(named));
    for number in 0..10 {
        site = site.https(&format!("/pox/{number}"), Act::xml(documents::pox_redirect_url(&format!("https://{host}/pox/{}", number + 1))));
    }
    net.host(host, site);
    let away = V2::Away(format!("https://{host}/v2/1"));
    net.microsoft.enter_domain("chain.example", Tenancy { v2: away, ..Tenancy::exchange_online(Cloud::Worldwide) });
    let site = Site::new(&world);
    let (code, out, err) = site.run(&["check", "anna@chain.example", "--client", "outlook-classic", "--format", "json"]);
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    let outlook = client(&view, "outlook-classic");
    assert_eq!((code, &outlook["verdict"], &outlook["cause"]), (2, &"undetermined".into(), &"lookup-failed".into()), "{outlook}");
    let asked = view["lookups"].as_array().unwrap();
    let given_up: Vec<&Value> = asked.iter().filter(|lookup| lookup["attempts"] == 0).collect();
    assert!(!given_up.is_empty() && given_up.iter().all(|lookup| lookup["outcome"] == "failed"), "{given_up:?}");
    assert!(asked.len() < 100, "{}", asked.len());
}
