use super::*;
use crate::model::{
    Answer, Authority, AutoDetectService, HttpDocument, Obstacle, Profile, ProtocolConnection, Reply, SettingValue, Subject, Tenant,
    UserSetting, UserSettings, V2Endpoint, V2Refusal,
};

const ONLINE: Hosting = Hosting::ExchangeOnline(Cloud::Worldwide);

fn anna() -> Address {
    Address::parse("anna@contoso.com").unwrap()
}

fn reading(outcome: AnswerOutcome, document: Document) -> Reading {
    let reply =
        if outcome == AnswerOutcome::Failed { Reply::Obstacle(Obstacle::Timeout) } else { Reply::Document(HttpDocument::default()) };
    let answer = Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
    Reading { answer: answer.into(), outcome, detail: String::new(), document }
}

fn v2(answer: AutodiscoverV2) -> Reading {
    let outcome = if let AutodiscoverV2::Refused(refusal) = &answer { refusal.outcome() } else { AnswerOutcome::Found };
    reading(outcome, Document::AutodiscoverV2(Box::new(answer)))
}

fn endpoint(host: &str) -> Reading {
    let url = format!("https://{host}/Microsoft-Server-ActiveSync");
    let (cloud, host) = (exchange_cloud(host), host.to_owned());
    v2(AutodiscoverV2::Endpoint(V2Endpoint { protocol: None, url, host, server_location: None, cloud }))
}

fn redirect(host: &str, address: &Address) -> Reading {
    let url = format!("https://{host}/autodiscover/autodiscover.json?Email={}&Protocol=ActiveSync", address.percent_encoded());
    v2(AutodiscoverV2::Redirect { url, host: host.to_owned() })
}

fn refused(code: V2Code) -> Reading {
    v2(AutodiscoverV2::Refused(V2Refusal { status: 404, code, message: "request 3f2a".into() }))
}

/// Walks along what v2 answers, one after another.
fn told_by_v2(address: &Address, steps: Vec<Reading>) -> Answers {
    let mut answers = Answers::default();
    for step in steps {
        let lookup = settle_v2(&answers.readings, address, V2Protocol::ActiveSync).missing.remove(0);
        answers.insert(lookup, step);
    }
    answers
}

/// The answers of a mailbox's share of a batch.
fn told_by_settings(code: SoapCode, redirect: Option<&str>, settings: &[(&str, &str)], hosts: &[&str]) -> Answers {
    let text = |(name, value): &(&str, &str)| UserSetting { name: (*name).into(), value: SettingValue::Text(Some((*value).into())) };
    let connection = |host: &&str| ProtocolConnection { hostname: Some((*host).into()), ..ProtocolConnection::default() };
    let connections = SettingValue::Connections(hosts.iter().map(connection).collect());
    let mut settings: Vec<UserSetting> = settings.iter().map(text).collect();
    settings.push(UserSetting { name: "ExternalImap4Connections".into(), value: connections });
    let user = UserAnswer { code, redirect: redirect.map(Into::into), settings, ..UserAnswer::default() };
    let settings = UserSettings { server_version: None, code: SoapCode::NoError, message: String::new(), users: vec![Some(user)] };
    let mut answers = Answers::default();
    let lookup = lookup(LookupKind::AutodiscoverSoap, settings_url(Cloud::UsDod), Message::UserSettings { addresses: vec![anna()] });
    answers.insert(lookup, reading(AnswerOutcome::Found, Document::UserSettings(Box::new(SoapAnswer::Settings(settings)))));
    answers
}

fn tenant() -> Tenant {
    Tenant {
        id: "contoso".to_owned().try_into().unwrap(),
        name: String::new(),
        hosting: ONLINE,
        clients: Vec::new(),
        allowed_hosts: vec!["mail.hoster.example".into()],
        manual_settings: Vec::new(),
    }
}

/// Judges by the built-in endpoints.
fn with_case<T>(address: &Address, profile: &Profile, look: impl FnOnce(&EndpointTable, &Case<'_>) -> T) -> T {
    let (endpoints, tenant, subject) = (EndpointTable::built_in().unwrap(), tenant(), Subject { address: address.clone() });
    look(&endpoints, &Case { tenant: &tenant, profile, subject: &subject })
}

fn testimony_of(answers: &Answers) -> Testimony {
    with_case(&anna(), &Profile::default(), |endpoints, case| testimony(endpoints, case, answers))
}

#[test]
fn v2_says_where_it_ends_or_where_it_leads_and_nothing_by_a_denial_or_a_failure() {
    let anna = anna();
    let (to, failed) = (|host: &str| redirect(host, &anna), || reading(AnswerOutcome::Failed, Document::Nothing));
    let web_page = || reading(AnswerOutcome::Invalid, Document::Nothing);
    let (own, us) = ("autodiscover.contoso.com", "outlook.office365.us");
    for (what, steps, hosting) in [
        ("nothing asked", vec![], None),
        ("an endpoint", vec![endpoint("outlook.office365.com")], Some(ONLINE)),
        ("another cloud", vec![to(us), endpoint(us)], Some(Hosting::ExchangeOnline(Cloud::UsGovernment))),
        (
            "the DoD's",
            vec![to("outlook-dod.office365.us"), endpoint("outlook-dod.office365.us")],
            Some(Hosting::ExchangeOnline(Cloud::UsDod)),
        ),
        ("the consumer service", vec![endpoint("eas.outlook.com")], Some(Hosting::Consumer)),
        ("a host of both", vec![endpoint("m.outlook.com")], None),
        ("its own server", vec![to(own), endpoint("mail.contoso.com")], Some(Hosting::OnPremises)),
        ("its own server leads back", vec![to(own), to("outlook.office365.com"), endpoint("outlook.office365.com")], Some(ONLINE)),
        ("its own server, without v2", vec![to(own), web_page()], Some(Hosting::OnPremises)),
        ("its own server, silent", vec![to(own), failed()], Some(Hosting::OnPremises)),
        ("its own server knows it not", vec![to(own), refused(V2Code::UserNotFound)], None),
        ("an allowed server", vec![endpoint("mail.hoster.example")], Some(Hosting::OnPremises)),
        ("another organisation", vec![to("autodiscover.fabrikam.com")], Some(Hosting::Other)),
        ("another organisation's endpoint", vec![endpoint("mail.fabrikam.com")], Some(Hosting::Other)),
        ("Microsoft redirects, and fails", vec![to("autodiscover-s.outlook.com"), failed()], None),
        ("Microsoft redirects for whom nobody knows", vec![to(us), refused(V2Code::UserNotFound)], None),
        ("nobody", vec![refused(V2Code::UserNotFound)], None),
        ("a refusal", vec![refused(V2Code::ProtocolNotSupported)], None),
        ("a failure", vec![failed()], None),
        ("a web page", vec![web_page()], None),
    ] {
        let answers = told_by_v2(&anna, steps);
        let said = testimony_of(&answers).v2;
        assert_eq!(said.as_ref().map(|told| told.what), hosting, "{what}");
        assert!(said.is_none_or(|told| told.asked.starts_with("https://") && told.asked.contains("%EMAILADDRESS:URL%")), "{what}");
    }
}

#[test]
fn the_settings_of_exchange_online_say_it_outright_or_by_their_hosts() {
    let online = Hosting::ExchangeOnline;
    let ews = |host: &'static str| ("ExternalEwsUrl", host);
    let ok = SoapCode::NoError;
    for (code, target, settings, hosts, hosting) in [
        (ok.clone(), None, vec![("UserMSOnline", "True"), ews("https://outlook.office365.com/EWS/Exchange.asmx")], vec![], Some(ONLINE)),
        // the service that answered
        (ok.clone(), None, vec![("UserMSOnline", "True")], vec![], Some(online(Cloud::UsDod))),
        (ok.clone(), None, vec![("UserMSOnline", "True")], vec!["outlook.office365.us"], Some(online(Cloud::UsGovernment))),
        (ok.clone(), None, vec![("UserMSOnline", "False")], vec![], Some(Hosting::OnPremises)),
        (
            ok.clone(),
            None,
            vec![("UserMSOnline", "False"), ews("https://outlook.office365.com/EWS/Exchange.asmx")],
            vec![],
            Some(Hosting::OnPremises),
        ),
        (
            ok.clone(),
            None,
            vec![("UserMSOnline", "False"), ews("https://mail.fabrikam.com/EWS/Exchange.asmx")],
            vec![],
            Some(Hosting::Other),
        ),
        (ok.clone(), None, vec![ews("https://mail.contoso.com/EWS/Exchange.asmx")], vec![], Some(Hosting::OnPremises)),
        (ok.clone(), None, vec![], vec!["outlook.office365.com"], Some(ONLINE)),
        (ok, None, vec![], vec![], None),
        (SoapCode::InvalidUser, None, vec![], vec![], None),
        (SoapCode::ServerBusy, None, vec![], vec![], None),
        (
            SoapCode::RedirectUrl,
            Some("https://autodiscover.contoso.com/autodiscover/autodiscover.svc"),
            vec![],
            vec![],
            Some(Hosting::OnPremises),
        ),
        (
            SoapCode::RedirectUrl,
            Some("https://autodiscover.fabrikam.com/autodiscover/autodiscover.svc"),
            vec![],
            vec![],
            Some(Hosting::Other),
        ),
        (SoapCode::RedirectUrl, Some("https://outlook.office365.com/autodiscover/autodiscover.svc"), vec![], vec![], None),
        (SoapCode::RedirectAddress, Some("anna@contoso.mail.onmicrosoft.com"), vec![], vec![], None),
    ] {
        let answers = told_by_settings(code.clone(), target, &settings, &hosts);
        assert_eq!(testimony_of(&answers).soap.map(|told| told.what), hosting, "{code:?} {target:?} {settings:?} {hosts:?}");
    }
}

#[test]
fn the_best_authority_decides_and_the_others_stand_in_the_conflict_with_their_lookups() {
    let anna = anna();
    let answers =
        told_by_settings(SoapCode::NoError, None, &[("UserMSOnline", "True"), ("ExternalEwsUrl", "https://outlook.office365.com/")], &[])
            .with(&told_by_v2(&anna, vec![redirect("autodiscover.contoso.com", &anna), endpoint("mail.contoso.com")]));
    let profile = Profile { hosting: Some(Hosting::OnPremises), ..Profile::default() };
    let home = with_case(&anna, &profile, |endpoints, case| testimony(endpoints, case, &answers)).home();
    assert_eq!((home.hosting, home.authority), (ONLINE, Authority::AutodiscoverSoap));
    let claims: Vec<String> = home.conflict.iter().map(ToString::to_string).collect();
    assert_eq!(
        claims,
        [
            "autodiscover-soap: exchange-online (POST https://autodiscover-s-dod.office365.us/autodiscover/autodiscover.svc)",
            "list: on-premises",
            "autodiscover-v2: on-premises \
             (https://autodiscover.contoso.com/autodiscover/autodiscover.json?Email=%EMAILADDRESS:URL%&Protocol=ActiveSync)",
        ]
    );
}

#[test]
fn what_is_asked_is_asked_once_and_only_where_it_is_switched_on() {
    use LookupKind::{AutodiscoverV2, CredentialType, Openid, Realm};
    let domain = Domain::parse("contoso.com").unwrap();
    let kinds = |inquiry: &Inquiry, answers: &Answers| -> Vec<LookupKind> {
        inquiry.missing(&anna(), &answers.readings).iter().map(|lookup| lookup.kind).collect()
    };
    let all = Inquiry::new(|_| true, &domain);
    assert_eq!(kinds(&all, &Answers::default()), [Openid, Realm, CredentialType, CredentialType, AutodiscoverV2]);
    assert_eq!(kinds(&all.clone().without_accounts(), &Answers::default()), [Openid, Realm, AutodiscoverV2]);
    let none = Inquiry::new(|_| false, &domain);
    assert!(kinds(&none, &Answers::default()).is_empty() && !none.is_about_mailboxes());
    assert!(!Inquiry::new(|kind| matches!(kind, Openid | Realm), &domain).is_about_mailboxes());
    let mut answers = Answers::default();
    for lookup in all.missing(&anna(), &answers.readings) {
        answers.insert(lookup, reading(AnswerOutcome::Failed, Document::Nothing));
    }
    assert!(kinds(&all, &answers).is_empty(), "what failed is not asked on and on");
    let [one, other] = [(), ()].map(|()| Inquiry::new(|_| true, &domain).canary.unwrap());
    assert!(is_canary(&one) && is_canary(&stored_canary(&domain).unwrap()) && !is_canary(&anna()));
    assert_ne!(one, other, "nobody can make an account of that name beforehand");
}

#[test]
fn a_signature_is_what_was_meant_and_not_how_it_was_put() {
    let bob = Address::parse("bob@contoso.com").unwrap();
    let sign = |address: &Address, answers: &Answers, word: &str| {
        with_case(address, &Profile::default(), |endpoints, case| signature(endpoints, case, (answers, word)))
    };
    let of = |address: &Address, steps: Vec<Reading>| sign(address, &told_by_v2(address, steps), "");
    let (anna, own) = (anna(), "autodiscover.contoso.com");
    let hybrid = |address: &Address| of(address, vec![redirect(own, address), endpoint("mail.contoso.com")]);
    assert_eq!(hybrid(&anna), hybrid(&bob));
    let V2Code::Other(code) = V2Code::Other("X".into()) else { panic!() };
    let refusal =
        |message: &str| v2(AutodiscoverV2::Refused(V2Refusal { status: 400, code: V2Code::Other(code.clone()), message: message.into() }));
    assert_eq!(of(&anna, vec![refusal("request 1")]), of(&bob, vec![refusal("request 2")]));
    let online = of(&anna, vec![endpoint("outlook.office365.com")]);
    assert_ne!(online.digest, hybrid(&anna).digest);
    assert_ne!(online.digest, sign(&anna, &told_by_v2(&anna, vec![endpoint("outlook.office365.com")]), "held back").digest);
    assert!(online.is_told && hybrid(&anna).is_told);
    let failed = of(&anna, vec![reading(AnswerOutcome::Failed, Document::Nothing)]);
    assert!(!failed.is_told && failed.digest != online.digest);
    // the redirect has told where the mailbox lives
    assert!(of(&anna, vec![redirect(own, &anna), reading(AnswerOutcome::Failed, Document::Nothing)]).is_told);
    assert!(sign(&anna, &told_by_settings(SoapCode::InvalidUser, None, &[], &[]), "").is_told);
    assert!(!sign(&anna, &told_by_settings(SoapCode::ServerBusy, None, &[], &[]), "").is_told);
}

#[test]
fn a_personal_account_is_the_asked_mailbox_s_own() {
    let anna = anna();
    let exists = |existence| {
        let document = CredentialType { existence, namespace: None, federation_url: None, unmanaged: None };
        reading(AnswerOutcome::Found, Document::CredentialType(Box::new(document)))
    };
    let canary = stored_canary(anna.domain()).unwrap();
    for (own, of_canary, is_personal) in [
        (Existence::Both, Some(Existence::Nowhere), true),
        (Existence::Both, Some(Existence::Both), false),
        (Existence::Throttled, Some(Existence::Nowhere), false),
        (Existence::Both, None, false),
    ] {
        let mut answers = Answers::default();
        answers.insert(credential_type(&anna), exists(own));
        if let Some(of_canary) = of_canary {
            answers.insert(credential_type(&canary), exists(of_canary));
        }
        assert_eq!(accounts(&anna, &answers).personal_account().is_some(), is_personal, "{own:?} {of_canary:?}");
    }
    let service = |name: &str| AutoDetectService { service: Some(name.into()), ..AutoDetectService::default() };
    let both = AutoDetect { services: vec![service("office365"), service("outlook")], ..AutoDetect::default() };
    let own = reading(AnswerOutcome::Found, Document::AutoDetect(Box::new(AutoDetectAnswer::Found(Box::new(both)))));
    let stand_in = Reading { answer: Answer { attempts: 0, ..(*own.answer).clone() }.into(), ..own.clone() };
    for (reading, is_personal) in [(own, true), (stand_in, false)] {
        let mut answers = Answers::default();
        answers.insert(detection(&anna), reading);
        assert_eq!(accounts(&anna, &answers).personal_account().is_some(), is_personal);
    }
}

#[test]
fn what_is_kept_of_an_account_reads_as_before() {
    for existence in [
        Existence::Work,
        Existence::Nowhere,
        Existence::Throttled,
        Existence::Failed,
        Existence::Personal,
        Existence::Both,
        Existence::Unknown(-1),
    ] {
        let body = credential_body(&CredentialType { existence, namespace: None, federation_url: None, unmanaged: None }).unwrap();
        assert_eq!(wire::parse_credential_type(body.as_bytes(), "").unwrap().existence, existence, "{body}");
    }
}
