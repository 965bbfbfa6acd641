//! Verdicts on what a client ends with, where it would sign in, and what its user would miss.

use super::{EndpointTable, Judgement, Residence, judge};
use crate::model::{
    Address, Cause, Cloud, Discovery, Guarded, Hosting, Lookup, LookupKind, Message, Protocol, Protocols, Readings, Request, Security,
    Server, Settings, Verdict, Way, Win,
};

const EXO: Hosting = Hosting::ExchangeOnline(Cloud::Worldwide);

fn judge_at(hosting: Hosting, discovery: &Discovery) -> Judgement {
    let address = Address::parse("anna@contoso.com").unwrap();
    let readings = Readings::default();
    let residence =
        Residence { address: &address, hosting, allowed_hosts: &[], wildcard: false, protocols: Protocols::default(), readings: &readings };
    judge(&EndpointTable::built_in().unwrap(), &residence, discovery)
}

fn discovery(win: Win) -> Discovery {
    Discovery { win: Some(win), ..Discovery::default() }
}

fn win(kind: LookupKind, way: Way) -> Win {
    let request = Request::Pox { url: "https://a.example/".to_owned(), address: Address::parse("anna@contoso.com").unwrap() };
    let lookup = Lookup { kind, asked: request.asked(), request: request.clone() };
    Win { lookup, requests: vec![request], way, settings: Settings::default(), provider_id: None, beside: None, guarded: None }
}

fn guarded(host: &str, protocol: Protocol, joined: bool) -> Win {
    let guarded = Some(Guarded { host: host.to_owned(), protocol, joined });
    Win { guarded, ..win(LookupKind::AutodiscoverPox, AUTODISCOVER) }
}

fn named(way: Way, servers: &[(Protocol, &str)]) -> Win {
    let server = |(protocol, host): &(Protocol, &str)| Server {
        protocol: *protocol,
        host: (*host).to_owned(),
        port: 443,
        security: Security::Tls,
        auth: Vec::new(),
        username: String::new(),
        class: None,
    };
    let settings = Settings { incoming: servers.iter().map(server).collect(), outgoing: Vec::new() };
    Win { settings, ..win(LookupKind::AutodiscoverMobilesync, way) }
}

const AUTODISCOVER: Way = Way::Autodiscover { by_srv: false, redirected: false };

#[test]
fn a_client_that_signs_in_is_given_its_own_protocol() {
    let government = Hosting::ExchangeOnline(Cloud::UsGovernment);
    for (host, protocol, joined, hosting, verdict, server) in [
        ("autodiscover-s.outlook.com", Protocol::Exchange, false, EXO, Verdict::Ok, "exchange outlook.office365.com"),
        ("autodiscover-s.outlook.com", Protocol::ActiveSync, false, EXO, Verdict::Ok, "activesync outlook.office365.com"),
        ("outlook.office365.us", Protocol::ActiveSync, false, EXO, Verdict::WrongCloud, "activesync outlook.office365.us"),
        ("autodiscover.hotmail.com", Protocol::ActiveSync, false, EXO, Verdict::Consumer, "activesync m.hotmail.com"),
        ("mail.fabrikam.com", Protocol::ActiveSync, true, EXO, Verdict::Foreign, "activesync mail.fabrikam.com"),
        ("mail.contoso.com", Protocol::ActiveSync, true, EXO, Verdict::Ok, "activesync outlook.office365.com"),
        ("mail.contoso.com", Protocol::Exchange, true, government, Verdict::Ok, "exchange outlook.office365.us"),
        ("mail.contoso.com", Protocol::Exchange, true, Hosting::OnPremises, Verdict::Ok, "exchange mail.contoso.com"),
        ("mail.contoso.com", Protocol::Exchange, false, Hosting::OnPremises, Verdict::Ok, "exchange mail.contoso.com"),
        ("outlook.office.com", Protocol::Exchange, false, EXO, Verdict::Ok, "exchange outlook.office.com"),
    ] {
        let judgement = judge_at(hosting, &discovery(guarded(host, protocol, joined)));
        let servers: Vec<String> = judgement.settings.servers().map(|server| format!("{} {}", server.protocol, server.host)).collect();
        assert_eq!((judgement.verdict, judgement.inferred, servers), (verdict, true, vec![server.to_owned()]), "{host} {hosting}");
    }
}

#[test]
fn an_own_endpoint_that_does_not_say_that_it_is_joined_is_undetermined() {
    for (way, words) in [
        (AUTODISCOVER, "in a hybrid it sends the client on"),
        (Way::Jmap, "where JMAP would be"),
        (Way::AutoDetect { unverified: false }, "AutoDetect names mail.contoso.com"),
    ] {
        let win = Win { way, ..guarded("mail.contoso.com", Protocol::Exchange, false) };
        let judgement = judge_at(EXO, &discovery(win));
        let told = (judgement.verdict, judgement.cause, judgement.inferred);
        assert_eq!(told, (Verdict::Undetermined, Some(Cause::Guarded), true));
        assert!(judgement.explanation.contains(words), "{}", judgement.explanation);
    }
}

#[test]
fn only_imap_and_pop_need_a_server_to_send_by() {
    for (servers, verdict) in [
        (&[(Protocol::ActiveSync, "outlook.office365.com")][..], Verdict::Ok),
        (&[(Protocol::Exchange, "outlook.office365.com")], Verdict::Ok),
        (&[(Protocol::Ews, "outlook.office365.com")], Verdict::Ok),
        (&[(Protocol::Imap, "outlook.office365.com"), (Protocol::ActiveSync, "outlook.office365.com")], Verdict::Ok),
        (&[(Protocol::Imap, "outlook.office365.com")], Verdict::NotFound),
    ] {
        let judgement = judge_at(EXO, &discovery(named(AUTODISCOVER, servers)));
        assert_eq!(judgement.verdict, verdict, "{servers:?}: {}", judgement.explanation);
        assert_eq!(judgement.affected, if verdict == Verdict::Ok { vec![] } else { vec![Protocol::Smtp] });
    }
}

#[test]
fn what_a_client_does_not_find_is_what_it_seeks() {
    for (seeks, left) in [
        (vec![Protocol::ActiveSync], "must type"),
        (vec![Protocol::Imap, Protocol::Pop3, Protocol::Smtp], "must type"),
        (vec![Protocol::Exchange], "no place to type"),
    ] {
        let judgement = judge_at(EXO, &Discovery { seeks: seeks.clone(), ..Discovery::default() });
        assert!(judgement.explanation.contains(left), "{}", judgement.explanation);
        assert_eq!((judgement.verdict, judgement.affected), (Verdict::NotFound, seeks));
    }
}

#[test]
fn what_was_seen_and_what_was_inferred_are_both_told() {
    let direct = |win: Win| {
        let url = "https://outlook.office365.com/autodiscover/autodiscover.json".to_owned();
        let first = Request::Http { url, message: Message::Get { address: None } };
        Win { requests: vec![first, win.lookup.request.clone()], ..win }
    };
    let service = |host: &str| Win {
        way: Way::AutoDetect { unverified: false },
        provider_id: Some("office365".to_owned()),
        ..guarded(host, Protocol::Exchange, false)
    };
    let by_v2 = Win {
        lookup: win(LookupKind::AutodiscoverV2, AUTODISCOVER).lookup,
        ..named(AUTODISCOVER, &[(Protocol::ActiveSync, "eas.outlook.com")])
    };
    for (win, explanation) in [
        (
            direct(guarded("outlook.office365.com", Protocol::Exchange, false)),
            "Without sign-in, Autodiscover at outlook.office365.com, which Autodiscover v2 names for the mailbox, says only that it asks for credentials; with sign-in it stands for outlook.office365.com (Exchange), where the mailbox lives.",
        ),
        (
            guarded("mail.contoso.com", Protocol::ActiveSync, true),
            "Without sign-in, Autodiscover at mail.contoso.com says only that it asks for credentials and is joined to Microsoft's cloud; with sign-in it stands for outlook.office365.com (ActiveSync), where the mailbox lives.",
        ),
        (
            Win {
                way: Way::Autodiscover { by_srv: true, redirected: false },
                ..guarded("autodiscover.hotmail.com", Protocol::ActiveSync, false)
            },
            "Without sign-in, Autodiscover at autodiscover.hotmail.com, where an SRV record leads, says only that it asks for credentials; with sign-in it stands for m.hotmail.com (ActiveSync), of the consumer service.",
        ),
        (
            service("outlook.office.com"),
            "Microsoft's AutoDetect (service `office365`) stands for outlook.office.com (Exchange), where the mailbox lives.",
        ),
        (by_v2, "Autodiscover v2 names eas.outlook.com (ActiveSync), of the consumer service."),
        (
            named(Way::AutoDetect { unverified: true }, &[(Protocol::ActiveSync, "eas.example")]),
            "A row of AutoDetect's database, never tried with this mailbox, names eas.example (ActiveSync), which does not belong to Exchange Online.",
        ),
    ] {
        assert_eq!(judge_at(EXO, &discovery(win)).explanation, explanation);
    }
}
