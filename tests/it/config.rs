//! Configurations: what a bad one is told, and what a good one comes to.

use std::{fs, path::Path};

use autodiscover_audit::{
    cli::{Exit, config::check},
    config::Config,
    model::{Hosting, LookupKind, Protocol, Security},
    network::Pace,
};

const CLIENTS: [&str; 3] = ["thunderbird", "mx-base-domain", "srv"];
const FOLDER: &str = "tests/fixtures/config";

/// Every fixture is a bad configuration, named by what is wrong with it.
#[test]
fn each_bad_configuration_is_told_what_is_wrong_and_what_to_do() -> std::io::Result<()> {
    let mut names: Vec<String> = fs::read_dir(FOLDER)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"))
        .collect();
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let path = Path::new(FOLDER).join(&name);
        let told = match Config::load(&path, &CLIENTS) {
            Ok(_) => panic!("{name} is accepted"),
            Err(errors) => errors.to_string(),
        };
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("config-{}", name.trim_end_matches(".toml")), told);
        });
    }
    Ok(())
}

#[test]
fn an_unreadable_file_is_named() {
    let errors = Config::load(Path::new("no/such.toml"), &CLIENTS).expect_err("there is no such file");
    assert!(errors.to_string().starts_with("no/such.toml: cannot be read: "), "{errors}");
}

#[test]
fn a_good_configuration_is_complete() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audit.toml");
    fs::write(folder.path().join("list.csv"), "anna@contoso.com\n")?;
    fs::write(
        &path,
        r#"
            [[tenant]]
            id = "contoso"
            mailboxes = "list.csv"
            hosting = "on-premises"
            allowed_hosts = ["SMTP.contoso.com.", "*.münster.example"]
            manual_settings = [{ protocol = "imap", host = "Mail.contoso.com", port = 993, security = "tls" }]
            [[tenant]]
            id = "fabrikam"
            name = "Fabrikam Inc"
            mailboxes = "list.csv"
            clients = ["srv"]
        "#,
    )?;
    let config = Config::load(&path, &CLIENTS).map_err(std::io::Error::other)?;
    assert_eq!(config.database, folder.path().join("autodiscover-audit.db"));
    let [contoso, fabrikam] = config.tenants.as_slice() else { panic!("{:?}", config.tenants) };
    assert_eq!(contoso.mailboxes, folder.path().join("list.csv"));
    assert_eq!((contoso.line, fabrikam.line), (2, 8));
    assert_eq!((contoso.tenant.name.as_str(), fabrikam.tenant.name.as_str()), ("contoso", "Fabrikam Inc"));
    assert_eq!((contoso.tenant.hosting, fabrikam.tenant.hosting), (Hosting::OnPremises, Hosting::default()));
    assert_eq!((contoso.tenant.clients.as_slice(), fabrikam.tenant.clients.as_slice()), (&[][..], &["srv".into()][..]));
    assert_eq!(contoso.tenant.allowed_hosts, ["smtp.contoso.com", "*.xn--mnster-3ya.example"]);
    let [server] = contoso.tenant.manual_settings.as_slice() else { panic!("{:?}", contoso.tenant) };
    assert_eq!(
        (server.protocol, server.host.as_str(), server.port, server.security),
        (Protocol::Imap, "mail.contoso.com", 993, Security::Tls)
    );
    assert_eq!(server.username, "%EMAILADDRESS%");
    Ok(())
}

#[test]
fn a_pace_is_laid_over_the_default_of_its_kind() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audit.toml");
    fs::write(folder.path().join("list.csv"), "")?;
    let lookups = "[lookups.autodiscover-v2]\nrequests_per_second = 2\n[lookups.credential-type]\nenabled = true\n\
        [lookups.autodiscover-soap]\nbearer_token = { file = \"token\" }\n";
    fs::write(&path, format!("{lookups}[[tenant]]\nid = \"a\"\nmailboxes = \"list.csv\"\n"))?;
    let config = Config::load(&path, &CLIENTS).map_err(std::io::Error::other)?;
    let paces = &config.network.paces;
    let pace = |enabled, concurrency, requests_per_second| Pace { enabled, concurrency, requests_per_second };
    assert_eq!(paces.of(LookupKind::AutodiscoverV2), pace(true, 6, 2.0));
    assert_eq!(paces.of(LookupKind::CredentialType), pace(true, 1, 2.5));
    assert_eq!(paces.of(LookupKind::Jmap), pace(true, 0, 0.0));
    assert!(config.network.is_enabled(LookupKind::CredentialType) && !config.network.is_enabled(LookupKind::Realm));
    let token = folder.path().join("token").display().to_string();
    assert_eq!(config.bearer_token.map(|source| source.to_string()), Some(format!("the file `{token}`")), "it starts where the file is");
    assert!(config.network.soap_token.is_some());
    Ok(())
}

#[test]
fn clients_of_a_clients_file_are_known() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audit.toml");
    fs::write(folder.path().join("list.csv"), "")?;
    fs::write(folder.path().join("own.toml"), "")?;
    fs::write(&path, "clients_file = \"own.toml\"\n[[tenant]]\nid = \"a\"\nmailboxes = \"list.csv\"\nclients = [\"own\"]\n")?;
    let config = Config::load_with(&path, &|file| {
        Ok(file.map(|file| file.file_stem().unwrap_or_default().to_string_lossy().into()).into_iter().collect())
    });
    assert!(config.is_ok_and(|config| config.tenants[0].tenant.clients == ["own"]));
    let errors = Config::load_with(&path, &|_| Err("line 3 is no client".into())).expect_err("the clients file is bad");
    assert_eq!(errors.errors.len(), 1, "{errors}");
    assert_eq!((errors.errors[0].line, errors.errors[0].key.as_str()), (Some(1), "clients_file"));
    Ok(())
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[\\[?(network|audit|tenant)\\]?\\]\n|(id|mailboxes|timeout_seconds|clients|connect_to|manual_settings|tenant) = (1|\"x\"|\\[1\\]|\\[\\]|\\[\\{\\}\\]|\\{ port = 1 \\})\n|é){0,12}") {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("audit.toml");
        fs::write(&path, text)?;
        let _ = Config::load(&path, &CLIENTS);
    }
}

#[test]
fn a_check_says_what_the_configuration_means() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audit.toml");
    fs::write(folder.path().join("list.csv"), "anna@contoso.com\nbert@fabrikam.com\nbad\n")?;
    fs::write(folder.path().join("empty.csv"), "")?;
    let contoso = "[[tenant]]\nid = \"contoso\"\nmailboxes = \"list.csv\"\nallowed_hosts = [\"*.relay.example\"]\n";
    let fabrikam = "[[tenant]]\nid = \"fabrikam\"\nname = \"Fabrikam Inc\"\nmailboxes = \"list.csv\"\nhosting = \"other\"\n";
    let adatum = "[[tenant]]\nid = \"adatum\"\nmailboxes = \"empty.csv\"\nhosting = \"on-premises\"\n\
        manual_settings = [{ protocol = \"imap\", host = \"mail.adatum.com\", port = 993, security = \"tls\" }]\n";
    let network =
        "[network]\ndns_servers = [\"192.0.2.53\"]\nallow_networks = [\"10.0.0.0/8\"]\nconnect_to = [{ port = 443, to_port = 8443 }]\n";
    let alerts = "[channel.ops]\nkind = \"slack\"\nurl = { file = \"no-such-secret\" }\n[channel.mail]\nkind = \"smtp\"\nhost = \"smtp.contoso.com\"\n\
        from = \"audit@contoso.com\"\nto = [\"team@contoso.com\"]\n[channel.journal]\nkind = \"journald\"\n\
        [[route]]\nchannels = [\"ops\", \"mail\"]\n";
    let slow = "[schedule]\ndeadline_minutes = 3\n[lookups]\nautodiscover-v2 = { requests_per_second = 0.01 }\n";
    let lookups = "[lookups]\nispdb = { enabled = false }\nrealm = { enabled = true }\nautodetect = { enabled = true, requests_per_second = 0.5 }\n\
        [lookups.autodiscover-soap]\nbearer_token = { file = \"no-such-token\" }\n";
    for (name, text, expected) in [
        ("config-check-at-risk", format!("at_risk_clients = [\"mx-base-domain\"]\n{contoso}"), Exit::Clean),
        ("config-check-nobody-at-risk", format!("at_risk_clients = []\n{contoso}"), Exit::Clean),
        ("config-check-lookups", format!("{lookups}{contoso}clients = [\"thunderbird\", \"srv\"]\n"), Exit::Clean),
        ("config-check-slow", format!("{slow}{contoso}"), Exit::Clean),
        ("config-check", format!("{network}{contoso}{fabrikam}"), Exit::Clean),
        (
            "config-check-alerts",
            format!("{alerts}{contoso}[tenant.schedule]\ncron = \"15 3 * * 1-5\"\nzone = \"Europe/Berlin\"\n"),
            Exit::Usage,
        ),
        ("config-check-empty-list", format!("{contoso}{adatum}"), Exit::Usage),
        ("config-check-faulty", "[[tenant]]\n".to_owned(), Exit::Usage),
    ] {
        fs::write(&path, text)?;
        let mut out = Vec::new();
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let outcome = check(&path, &|_| Ok(CLIENTS.map(str::to_owned).to_vec()), (&mut out, now))?;
        assert_eq!(outcome, expected, "{name}");
        let told = String::from_utf8_lossy(&out).replace(&format!("{}/", folder.path().display()), "");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, told) });
    }
    Ok(())
}
