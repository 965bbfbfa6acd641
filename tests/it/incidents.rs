//! Incidents and alerts on the command line, through the built binary.

use std::{fs, io::Write as _};

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::{
    cli::Site,
    fakenet::{
        sink::{MailSink, Say, Sink},
        world::drift,
    },
};

/// An office whose incidents open with the first audit, and the web server that is told.
struct Desk {
    site: Site,
    sink: Sink,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new(stale: &[&str]) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (site, sink) = (Site::new(&drift::autoconfig(stale)), runtime.block_on(Sink::start()));
        let desk = Self { site, sink, runtime };
        let (url, secret) = (desk.sink.url("/hook"), desk.site.path("secret"));
        fs::write(&secret, format!("whsec_{}=", "A".repeat(43))).unwrap();
        desk.configure(&format!(
            "[alerts]\nconfirm = 1\nremind_after_days = 7\n[channel.hook]\nkind = \"webhook\"\nurl = \"{url}\"\n\
             secrets = [{{ file = \"{secret}\" }}]\n"
        ));
        desk
    }

    fn configure(&self, more: &str) {
        let mut file = fs::File::options().append(true).open(self.site.office.config()).unwrap();
        file.write_all(format!("\n{more}").as_bytes()).unwrap();
    }

    /// The domains that a run told of, and what happened in them.
    fn audit(&self) -> Vec<(String, String)> {
        let before = self.sink.posts().len();
        let (code, out, err) = self.site.run(&["audit"]);
        assert!(code < 2, "{out}{err}");
        let mut told: Vec<(String, String)> = self.sink.posts().split_off(before).iter().flat_map(|post| incidents(&post.body)).collect();
        told.sort();
        told
    }

    /// A command that goes well and has no findings.
    fn say(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.site.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    /// Time goes by for all that was announced.
    fn age(&self, days: i64) {
        let path = format!("sqlite://{}", self.site.office.database().display());
        self.runtime.block_on(async {
            let mut connection = SqliteConnection::connect(&path).await.unwrap();
            let update = "UPDATE incident SET notified_at = notified_at - $1";
            sqlx::query(update).bind(days * 86_400).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    fn numbers(&self, arguments: &[&str]) -> Vec<(String, i64)> {
        let (_, out, _) = self.site.run(&[&["incidents", "list", "--format", "json"], arguments].concat());
        let list: Value = serde_json::from_str(&out).unwrap();
        let one = |incident: &Value| (incident["domain"].as_str().unwrap().to_owned(), incident["id"].as_i64().unwrap());
        let mut numbers: Vec<(String, i64)> = list["incidents"].as_array().unwrap().iter().map(one).collect();
        numbers.sort();
        numbers
    }
}

fn incidents(body: &str) -> Vec<(String, String)> {
    let notice: Value = serde_json::from_str(body).unwrap();
    let one = |incident: &Value| {
        let newest = incident["changes"].as_array().unwrap().last().unwrap();
        (incident["domain"].as_str().unwrap().to_owned(), newest.as_str().unwrap().to_owned())
    };
    notice["data"]["incidents"].as_array().unwrap().iter().map(one).collect()
}

fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(domain, change)| ((*domain).to_owned(), (*change).to_owned())).collect()
}

#[test]
fn an_acknowledged_incident_reminds_nobody_and_is_shown_as_such() {
    let desk = Desk::new(&["one.example", "two.example"]);
    assert_eq!(desk.audit(), told(&[("one.example", "opened"), ("two.example", "opened")]));
    let numbers = desk.numbers(&[]);
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    let id = numbers[0].1.to_string();
    let ack = ["incidents", "ack", &id, "--by", "anna", "--reason", "the host mends it", "--until", "30d"];
    assert_eq!(desk.say(&ack), format!("Incident {id} is acknowledged.\n"));
    desk.age(8);
    assert_eq!(desk.audit(), told(&[("two.example", "reminder")]));
    let (code, list, _) = desk.site.run(&["incidents", "list", "--domain", "one.example"]);
    assert_eq!(code, 1, "it is open");
    assert!(list.contains("acknowledged by anna") && !list.contains("two.example"), "{list}");
    let (_, shown, _) = desk.site.run(&["incidents", "show", &id]);
    assert!(shown.contains("by anna, until ") && shown.contains("the host mends it") && shown.contains("What happened"), "{shown}");
    let (_, text, _) = desk.site.run(&["report", "--needs-manual"]);
    assert!(text.contains(&format!("  incident    {id}, open; acknowledged by anna until ")), "{text}");
    assert_eq!(desk.say(&["incidents", "unack", &id]), format!("Incident {id} is not acknowledged any more.\n"));
    assert_eq!(desk.say(&["incidents", "unack", &id]), format!("Incident {id} was not acknowledged.\n"));
    desk.age(8);
    assert_eq!(desk.audit(), told(&[("one.example", "reminder"), ("two.example", "reminder")]));
}

#[test]
fn an_exempt_incident_is_announced_to_nobody_until_the_exemption_ends() {
    let desk = Desk::new(&["one.example", "two.example"]);
    // a database has to be there
    assert_eq!(desk.site.run(&["db", "migrate"]).0, 0);
    let exempt = ["incidents", "exempt", "--domain", "one.example", "--owner", "mail team", "--reason", "moves in May", "--until", "10d"];
    assert_eq!(desk.say(&exempt), "Exemption 1 holds; 0 incidents are covered now.\n");
    assert_eq!(desk.audit(), told(&[("two.example", "opened")]));
    let (code, list, _) = desk.site.run(&["incidents", "list"]);
    assert!(code == 1 && list.contains("exempt until"), "it is followed all the same: {list}");
    let exemptions = desk.say(&["incidents", "exemptions"]);
    assert!(exemptions.contains("one.example  mail team  moves in May") && exemptions.contains("(expires in "), "{exemptions}");
    let (_, text, _) = desk.site.run(&["report"]);
    assert!(text.contains(" (mail team: moves in") && text.contains("EXEMPTIONS"), "{text}");
    desk.age(8);
    assert_eq!(desk.audit(), told(&[("two.example", "reminder")]));
    assert_eq!(desk.say(&["incidents", "end", "1"]), "Exemption 1 is over.\n");
    assert_eq!(desk.audit(), told(&[("one.example", "opened")]), "now it is news");
    let (_, text, _) = desk.site.run(&["report"]);
    assert!(!text.contains("EXEMPTIONS"), "{text}");
    // what was announced and is exempt afterwards says how it ends, and nothing before
    assert_eq!(desk.say(&exempt), "Exemption 2 holds; 1 incident is covered now.\n");
    desk.age(8);
    assert_eq!(desk.audit(), told(&[("two.example", "reminder")]));
    desk.site.fakenet.become_net(&drift::autoconfig(&[]).net);
    assert_eq!(desk.audit(), told(&[("one.example", "resolved"), ("two.example", "resolved")]));
    assert_eq!(desk.say(&["incidents", "list"]), "There are no such incidents.\n");
    assert_eq!(desk.numbers(&["--all"]).len(), 2);
    assert_eq!(desk.numbers(&["--state", "resolved"]).len(), 2);
}

#[test]
fn bad_input_is_told_by_what_is_wrong_with_it() {
    let desk = Desk::new(&["one.example"]);
    let (code, _, err) = desk.site.run(&["incidents", "list"]);
    assert!(code >= 3 && err.contains("audit.db"), "there is no database yet: {err}");
    desk.audit();
    let id = desk.numbers(&[])[0].1.to_string();
    let ack = ["incidents", "ack", &id, "--by", "anna", "--reason", "r"];
    let exempt = ["incidents", "exempt", "--owner", "anna", "--reason", "r", "--until", "10d"];
    for (start, more, words) in [
        (&["incidents", "show"][..], &["99"][..], "there is no incident 99"),
        (&["incidents", "ack"], &["99", "--by", "anna", "--reason", "r"], "there is no incident 99"),
        (&["incidents", "unack"], &["99"], "there is no incident 99"),
        (&["incidents", "ack"], &["one", "--by", "anna", "--reason", "r"], "invalid value 'one'"),
        (&["incidents", "ack"], &[id.as_str(), "--reason", "r"], "--by"),
        (&["incidents", "ack"], &[id.as_str(), "--by", " ", "--reason", "r"], "--by needs 1 to 500 characters"),
        (&["incidents", "ack"], &[id.as_str(), "--by", "anna", "--reason", ""], "--reason needs 1 to 500 characters"),
        (&ack, &["--until", "soon"], "`soon` is no time"),
        (&ack, &["--until", "2020-01-01"], "`2020-01-01` is in the past"),
        (&exempt, &[], "exempt what?"),
        (&exempt, &["--client", "outlook-95"], "`outlook-95` is no client"),
        (&exempt, &["--cause", "bad-luck"], "write one of "),
        (&exempt, &["--domain", "not a domain"], "--domain"),
        (&exempt, &["--tenant", "no tenant"], "--tenant"),
        (&["incidents", "exempt"], &["--domain", "one.example", "--owner", "a", "--reason", "r", "--until", "400d"], "a year at most"),
        (&["incidents", "exempt"], &["--domain", "one.example", "--owner", "a", "--reason", "r"], "--until"),
        (&["incidents", "end"], &["7"], "there is no exemption 7 in force"),
        (&["incidents", "list"], &["--state", "gone"], "suspected, open, resolved, dismissed"),
        (&["incidents", "list"], &["--state", "open", "--all"], "cannot be used with"),
        (&["alerts", "test"], &["--channel", "pager"], "`pager` is no channel of the configuration: write one of hook"),
    ] {
        let arguments = [start, more].concat();
        let (code, out, err) = desk.site.run(&arguments);
        assert_eq!(code, 3, "{arguments:?}: {out}{err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    desk.site.fakenet.become_net(&drift::autoconfig(&[]).net);
    desk.audit();
    let (code, _, err) = desk.site.run(&ack);
    assert!(code == 3 && err.contains("is resolved: there is nothing to acknowledge"), "{err}");
    let bare = Site::new(&drift::autoconfig(&[]));
    let (code, _, err) = bare.run(&["alerts", "test"]);
    assert!(code == 3 && err.contains("the configuration has no channel"), "{err}");
}

#[test]
fn what_waits_is_shown_and_sent_and_a_test_passes_it() {
    let desk = Desk::new(&["one.example"]);
    let test = desk.say(&["alerts", "test", "--channel", "hook"]);
    assert_eq!(test, "hook: it was taken\n");
    assert!(desk.sink.posts()[0].body.contains("Test"), "{}", desk.sink.posts()[0].body);
    desk.sink.script([Say::status(403)]);
    let (code, out, _) = desk.site.run(&["alerts", "test"]);
    assert!(code == 1 && out.starts_with("hook: it was not taken: ") && out.contains("403"), "{out}");
    desk.sink.script([Say::status(403)]);
    assert_eq!(desk.audit(), told(&[("one.example", "opened")]), "it was sent, and not taken");
    let (code, out, _) = desk.site.run(&["alerts", "status"]);
    assert!(code == 1 && out.contains("hook: 1 notice waits for ") && out.contains("it takes nothing: ") && out.contains("403"), "{out}");
    let sent = desk.say(&["alerts", "send"]);
    assert_eq!(sent, "hook: nothing waits\n");
    assert_eq!(desk.say(&["alerts", "status"]), "hook: nothing waits\n");
    let posts = desk.sink.posts();
    let ids: Vec<&str> = posts.iter().rev().take(2).map(|post| post.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && !ids[0].is_empty(), "the same notice: {ids:?}");
}

#[test]
fn the_report_of_the_tenant_goes_with_a_mail() {
    let desk = Desk::new(&["one.example"]);
    let mail = desk.runtime.block_on(MailSink::start(false));
    let port = mail.address.port();
    desk.configure(&format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nencryption = \"none\"\nfrom = \"audit@contoso.com\"\n\
         to = [\"team@contoso.com\"]\n"
    ));
    desk.audit();
    let letter = mail.letters()[0].text.clone();
    let name = letter.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{letter}"));
    let date = name.strip_prefix("contoso-").and_then(|rest| rest.strip_suffix(".csv")).unwrap();
    assert!(date.parse::<jiff::civil::Date>().is_ok(), "{name}");
    assert!(letter.contains("Content-Type: text/csv; charset=utf-8"), "{letter}");
    // nobody needs anything any more
    desk.site.fakenet.become_net(&drift::autoconfig(&[]).net);
    desk.audit();
    let letters = mail.letters();
    assert!(letters.len() == 2 && !letters[1].text.contains("filename"), "{letters:?}");
}

#[test]
fn a_backup_is_restored_where_nobody_holds_the_database() {
    let desk = Desk::new(&["one.example"]);
    desk.audit();
    let (copy, database) = (desk.site.path("copy.db"), desk.site.office.database());
    desk.say(&["db", "backup", &copy]);
    let before = desk.numbers(&[]);
    desk.site.fakenet.become_net(&drift::autoconfig(&[]).net);
    desk.audit();
    assert_eq!(desk.numbers(&[]), []);
    let held = desk.runtime.block_on(autodiscover_audit::store::Store::open(&database)).unwrap();
    let (code, _, err) = desk.site.run(&["db", "restore", &copy]);
    assert!(code == 3 && err.contains("the database is in use by the service or an audit"), "{err}");
    desk.runtime.block_on(held.close()).unwrap();
    let said = desk.say(&["db", "restore", &copy]);
    let kept = said.lines().nth(1).and_then(|line| line.strip_prefix("the database that was there is now ")).unwrap();
    assert_eq!(desk.numbers(&[]), before);
    assert_eq!(desk.numbers(&["--database", kept]), []);
    let (code, _, err) = desk.site.run(&["db", "restore", &desk.site.path("none.db")]);
    assert!(code == 3 && err.contains("none.db"), "{err}");
    let other = desk.site.path("elsewhere.db");
    assert!(desk.say(&["db", "restore", &copy, "--database", &other]).ends_with("there was no database before\n"));
    assert_eq!(desk.numbers(&["--database", &other]), before);
}
