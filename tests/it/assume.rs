//! `check --assume`: what would be if it were so.

use std::{fs, sync::Arc};

use serde_json::{Value, json};

use crate::{
    cli::{Site, client},
    fakenet::{
        self,
        site::{Act, Tls},
        world::{World, documents, today::today},
    },
};

/// Thunderbird is audited, and two more are looked at.
fn site(world: &World) -> Site {
    Site::new(world).looking_at(&["thunderbird"], &["srv", "mx-base-domain"])
}

const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";

fn view(site: &Site, arguments: &[&str]) -> (i32, Value) {
    let (code, out, err) = site.run(&[&["check"], arguments, &["--format", "json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

fn lookup<'a>(view: &'a Value, asked: &str) -> &'a Value {
    let lookups = view["lookups"].as_array().unwrap();
    lookups.iter().find(|lookup| lookup["asked"].as_str().unwrap().starts_with(asked)).unwrap_or_else(|| panic!("{asked}: {lookups:?}"))
}

#[test]
fn a_stale_document_is_assumed_away_or_to_be_right() {
    let site = site(&today());
    let address = "anna@stale.example";
    assert_eq!(view(&site, &[address]).0, 1);
    let plain = site.fakenet.http_requests();
    let own = "https://autoconfig.stale.example/mail/config-v1.1.xml";
    let well_known = "https://stale.example/.well-known/autoconfig/mail/config-v1.1.xml";
    let plain_http = "http://autoconfig.stale.example/mail/config-v1.1.xml = 404";
    let assumed = [format!("{own} = 404"), format!("{well_known} = 404"), plain_http.to_owned()];
    let flags: Vec<&str> = assumed.iter().flat_map(|text| ["--assume", text]).collect();
    let (code, gone) = view(&site, &[&[address], &flags[..]].concat());
    let thunderbird = client(&gone, "thunderbird");
    assert_eq!(
        (code, &thunderbird["verdict"], &thunderbird["fragile"]),
        (0, &json!("ok"), &json!(true)),
        "the exit code is of what is assumed"
    );
    let as_it_is =
        json!({"verdict": "consumer", "fragile": false, "inferred": false, "cause": "own-autoconfig-stale", "other_servers": true});
    assert_eq!(thunderbird["as_it_is"], as_it_is);
    assert_eq!(gone["assumed"], json!(assumed));
    assert_eq!((&lookup(&gone, own)["outcome"], &lookup(&gone, own)["assumed"]), (&json!("absent"), &json!(true)));
    assert!(lookup(&gone, "MX")["assumed"].is_null() && gone["assumed_in_vain"].is_null(), "{gone}");
    assert_eq!(site.fakenet.http_requests(), 2 * plain, "what is known of the world as it is, is asked once");

    fs::write(site.path("right.xml"), documents::good("stale.example")).unwrap();
    let right = format!("{own} = {}", site.path("right.xml"));
    let (code, mended) = view(&site, &[address, "--client", "thunderbird", "--assume", &right]);
    let thunderbird = client(&mended, "thunderbird");
    let told = ["verdict", "fragile", "cause"].map(|key| thunderbird[key].to_string()).join(" ");
    assert_eq!((code, told.as_str()), (0, r#""ok" true "own-well-known-stale""#), "the second address is still stale");
    let (code, _) = view(&site, &[address, "--client", "thunderbird", "--assume", &format!("{right}; text/plain")]);
    assert_eq!(code, 0, "what cannot be read is passed over");
}

#[test]
fn a_new_mx_is_assumed_with_what_it_changes_for_every_client() {
    let site = site(&today());
    let mx = "MX standard.example = 0 standard-example.o-v1.mx.microsoft";
    let (code, assumed) = view(&site, &["anna@standard.example", "--assume", mx]);
    let now = |name: &str| {
        let client = client(&assumed, name);
        let short = |side: &Value| format!("{} {} {}", side["verdict"], side["inferred"], side["cause"]);
        format!("{} -> {}", short(&client["as_it_is"]), short(client))
    };
    assert_eq!(code, 0);
    assert_eq!(now("thunderbird"), r#""ok" false "mx-base-domain" -> "ok" true null"#);
    assert_eq!(now("mx-base-domain"), r#""consumer" false "mx-base-domain" -> "not_found" false "nothing-published""#);
    assert_eq!(now("srv"), r#""not_found" false "nothing-published" -> "not_found" false "nothing-published""#);
    assert_eq!(lookup(&assumed, "MX")["detail"], "0 standard-example.o-v1.mx.microsoft");
    assert!(!assumed["lookups"].to_string().contains("mail.protection.outlook.com"), "nothing of the old MX is left");

    let (_, text, err) = site.run(&["check", "anna@standard.example", "--assume", mx, "--assume", "MX other.example = none"]);
    let head = "anna@standard.example (exchange-online): would need no manual configuration\n\n  \
        This is what would be if this were so:\n    \
        MX standard.example = 0 standard-example.o-v1.mx.microsoft\n    \
        MX other.example = none  (nobody who was looked at asks for it)\n\n  \
        What that would change\n    \
        thunderbird: ok, fragile [mx-base-domain] -> ok, inferred, other servers\n    \
        mx-base-domain: consumer [mx-base-domain] -> not_found [nothing-published]\n    \
        unchanged: srv (not_found [nothing-published])\n";
    assert!(text.starts_with(head), "{text}{err}");
    let (code, gone) = view(&site, &["anna@standard.example", "--assume", "MX standard.example = nxdomain"]);
    assert_eq!((code, &client(&gone, "thunderbird")["cause"]), (1, &json!("no-such-domain")), "nothing is below a name that is not");
}

/// A domain whose `autodiscover` is prepared at Microsoft's, and not in its DNS.
fn without_alias() -> World {
    let mut world = today();
    let upgrade = Act::redirect(302, format!("https://autodiscover-s.outlook.com{AUTODISCOVER}"));
    let names = Tls::Names(vec!["*.outlook.com".into()]);
    let site = fakenet::site::Site::empty().http(AUTODISCOVER, upgrade).tls(names);
    Arc::make_mut(&mut world.net).sites.insert("autodiscover.new-mx-bare.example".to_owned(), Arc::new(site));
    world
}

#[test]
fn behind_an_alias_that_is_assumed_the_host_answers_for_its_own_name() {
    let site = site(&without_alias());
    let alias = "CNAME autodiscover.new-mx-bare.example = autodiscover.outlook.com";
    let (code, assumed) = view(&site, &["anna@new-mx-bare.example", "--assume", alias, "--explain", "thunderbird"]);
    let thunderbird = client(&assumed, "thunderbird");
    assert_eq!((code, &thunderbird["verdict"], &thunderbird["inferred"]), (0, &json!("ok"), &json!(true)));
    assert_eq!(thunderbird["as_it_is"]["verdict"], "not_found");
    let secure = lookup(&assumed, "POST https://autodiscover.new-mx-bare.example/");
    assert_eq!(secure["detail"], "the certificate is not for this host");
    assert_eq!(secure["cnames"], json!(["autodiscover.outlook.com"]));
    let plain = lookup(&assumed, "http://autodiscover.new-mx-bare.example/");
    assert_eq!(plain["detail"], format!("redirected to https://autodiscover-s.outlook.com{AUTODISCOVER}"));
    let story = thunderbird["story"].to_string();
    assert!(story.contains("(an alias of autodiscover.outlook.com) -> redirected to https://autodiscover-s.outlook.com/"), "{story}");
    assert!(story.contains("To repeat what decided, as far as it is not assumed:"), "{story}");
    let nowhere = "CNAME autodiscover.new-mx-bare.example = nowhere.example";
    assert_eq!(view(&site, &["anna@new-mx-bare.example", "--assume", nowhere]).0, 1);
}

#[test]
fn assumptions_come_from_a_file_with_its_documents_beside_it() {
    let site = site(&today());
    fs::create_dir(site.path("plan")).unwrap();
    fs::write(site.path("plan/right.xml"), documents::good("standard.example")).unwrap();
    let lines = "\u{feff}# what we publish in May\n\nhttps://autoconfig.standard.example/mail/config-v1.1.xml = right.xml\r\n\
        SRV _imaps._tcp.standard.example = 0 1 993 outlook.office365.com\nSRV _submission._tcp.standard.example = 0 1 587 smtp.office365.com\n";
    fs::write(site.path("plan/may.txt"), lines).unwrap();
    let (code, planned) = view(&site, &["anna@standard.example", "--assume-file", &site.path("plan/may.txt")]);
    let verdicts: Vec<&Value> = planned["clients"].as_array().unwrap().iter().map(|client| &client["verdict"]).collect();
    assert_eq!(
        (code, verdicts),
        (0, vec!["ok", "ok", "ok"].into_iter().map(|verdict| json!(verdict)).collect::<Vec<_>>().iter().collect())
    );
    assert_eq!(planned["assumed"].as_array().unwrap().len(), 3);

    fs::write(site.path("plan/wrong.txt"), "# a line\nMX standard.example = mx.example\n").unwrap();
    for (arguments, message) in [
        (
            ["--assume-file".to_owned(), site.path("plan/wrong.txt")],
            "wrong.txt line 2: `MX standard.example = mx.example` cannot be assumed: ",
        ),
        (["--assume-file".to_owned(), site.path("plan/none.txt")], "none.txt cannot be read: "),
        (["--assume".to_owned(), "A standard.example = 192.0.2.1".to_owned()], "write it as `MX contoso.com = 0 mx.contoso.com"),
        (["--assume".to_owned(), "https://a.example/x.xml = none.xml".to_owned()], "none.xml cannot be read: "),
    ] {
        let (code, out, err) = site.run(&["check", "anna@standard.example", &arguments[0], &arguments[1]]);
        assert!(code == 3 && out.is_empty() && err.contains(message), "{arguments:?}: {err}");
    }
}
