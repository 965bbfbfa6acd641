//! What clients make of the MX.

use super::*;

#[test]
fn himalaya_takes_the_last_two_labels_of_the_mx_and_srv_in_the_end() {
    let of_mx = "https://autoconfig.thunderbird.net/v1.1/outlook.com";
    let stage = || {
        Stage::new(EXO)
            .srv("_imaps", "srv.contoso.com")
            .config("https://autoconfig.thunderbird.net/v1.1/mail.protection.outlook.com", "exo.example")
    };
    assert_eq!(stage().servers("himalaya"), ["imap srv.contoso.com"]);
    let by_srv = stage().srv("_pop3s", "pop3.contoso.com").srv("_submissions", "s.contoso.com").srv("_submission", "smtp.contoso.com");
    assert_eq!(by_srv.servers("himalaya"), ["imap srv.contoso.com", "smtp smtp.contoso.com"]);
    let stage = stage().config(of_mx, "hotmail.example");
    assert_eq!(stage.servers("himalaya"), ["imap hotmail.example", "smtp hotmail.example"]);
    assert_eq!(asked(&stage.discover("himalaya")).len(), 10);
    let pop3_first = provider(
        &(server("incomingServer", "pop3", "p.example")
            + &server("incomingServer", "imap", "a.example")
            + &server("outgoingServer", "smtp", "a.example")),
    );
    let stage = stage.document(OWN, &pop3_first);
    assert_eq!(stage.servers("himalaya"), ["imap a.example", "smtp a.example"]);
    assert_eq!(stage.servers("mx-base-domain"), ["pop3 p.example", "imap a.example", "smtp a.example"]);
}

#[test]
fn a_base_domain_comes_after_a_parent_only_where_the_client_asks_about_one() {
    for (client, database, expected) in [
        ("thunderbird", DATABASE, true),
        ("mx-base-domain", DATABASE, false),
        ("evolution", EVOLUTION_DATABASE, true),
        ("gnome-online-accounts", "https://v1.ispdb.net/", false),
        ("thunderbird-android", EVOLUTION_DATABASE, true),
        ("nextcloud-mail", EVOLUTION_DATABASE, true),
        ("himalaya", EVOLUTION_DATABASE, false),
    ] {
        let win = Stage::new(EXO).config(&format!("{database}outlook.com"), "hotmail.example").discover(client).win.unwrap();
        let Way::Mx { host, key, after_parent, database } = win.way else { panic!("{client}: {:?}", win.way) };
        assert_eq!((host.as_str(), key.as_str(), after_parent, database), (EXO, "outlook.com", expected, true), "{client}");
    }
    let near = Stage::new("mx1.hotmail.com").config(&format!("{EVOLUTION_DATABASE}hotmail.com"), "hotmail.example");
    for client in ["evolution", "nextcloud-mail"] {
        assert!(matches!(near.discover(client).win.unwrap().way, Way::Mx { after_parent: false, .. }), "{client}");
    }
}

#[test]
fn nextcloud_takes_any_mx_and_others_one_of_the_best_preference() {
    let stage = Stage::of("contoso.com", &[(0, EXO), (20, "mx1.hoster.example")])
        .config(&format!("{EVOLUTION_DATABASE}mail.protection.outlook.com"), "exo.example")
        .config(&format!("{EVOLUTION_DATABASE}outlook.com"), "hotmail.example")
        .config(&format!("{EVOLUTION_DATABASE}hoster.example"), "imap.hoster.example");
    for (client, several, second) in
        [("nextcloud-mail", 2, "imap.hoster.example"), ("evolution", 1, "exo.example"), ("himalaya", 1, "hotmail.example")]
    {
        let discovery = stage.discover_assuming(client, Assumption { lost: &[], mx: 1 });
        assert_eq!((discovery.equal_mx, discovery.win.unwrap().settings.incoming[0].host.as_str()), (several, second), "{client}");
    }
    assert_eq!(stage.servers("nextcloud-mail"), ["imap exo.example", "smtp exo.example"]);
}

#[test]
fn an_mx_that_cannot_be_told_is_one_doubt_and_none_where_it_is_not_looked_at() {
    let failing = || {
        let request = Request::Mx { domain: "contoso.com".parse().unwrap() };
        Stage(vec![(request, Reply::Obstacle(Obstacle::ServFail))])
    };
    for client in
        ["thunderbird", "thunderbird-72", "evolution", "gnome-online-accounts", "thunderbird-android", "nextcloud-mail", "himalaya"]
    {
        assert_eq!(failing().discover(client).doubts.len(), 1, "{client}");
    }
    let closed = failing().document(OWN, "<rss/>").discover("evolution");
    assert!(closed.doubts.is_empty(), "{:?}", closed.doubts);
}
