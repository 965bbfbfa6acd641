use super::*;
use crate::model::{AutoDetectService, Directory, Namespace, OpenIdRefusal};

const ONLINE: Hosting = Hosting::ExchangeOnline(Cloud::Worldwide);
const GOVERNMENT: Hosting = Hosting::ExchangeOnline(Cloud::UsGovernment);
const DEFENSE: Hosting = Hosting::ExchangeOnline(Cloud::UsDod);
const OWN: Hosting = Hosting::OnPremises;

fn told<T>(what: T) -> Told<T> {
    Told { what, asked: "https://asked.example/".into() }
}

/// `soap list v2 tenant`, then what the `OpenID` metadata say.
fn testimony(
    (soap, list, v2, tenant): (Option<Hosting>, Option<Hosting>, Option<Hosting>, Hosting),
    openid: Option<Membership>,
) -> Testimony {
    Testimony { soap: soap.map(told), list, v2: v2.map(told), tenant, openid: openid.map(told), realm: None }
}

fn parties(home: &Home) -> Vec<(Authority, &str)> {
    home.conflict.iter().map(|claim| (claim.authority, claim.says.as_str())).collect()
}

#[test]
fn the_best_authority_that_speaks_decides_and_a_contradiction_names_its_parties() {
    use Authority::{AutodiscoverSoap as Soap, AutodiscoverV2 as V2, List, Openid, Tenant};
    let worldwide = Some(Membership::Tenant(Some(Cloud::Worldwide)));
    for (said, openid, hosting, authority, conflict) in [
        ((None, None, None, ONLINE), None, ONLINE, Tenant, &[][..]),
        ((None, None, None, OWN), worldwide, OWN, Tenant, &[]),
        ((None, None, Some(ONLINE), ONLINE), worldwide, ONLINE, V2, &[]),
        // a hybrid
        ((None, None, Some(OWN), ONLINE), worldwide, OWN, V2, &[]),
        ((None, None, Some(ONLINE), OWN), worldwide, ONLINE, V2, &[]),
        ((Some(OWN), None, None, ONLINE), None, OWN, Soap, &[]),
        ((None, Some(OWN), None, ONLINE), None, OWN, List, &[]),
        ((None, Some(Hosting::Other), None, ONLINE), None, Hosting::Other, List, &[]),
        // a default that is not of Microsoft is no party
        ((None, None, Some(Hosting::Other), OWN), None, Hosting::Other, V2, &[]),
        ((None, None, Some(Hosting::Other), ONLINE), None, Hosting::Other, V2, &[(V2, "other"), (Tenant, "exchange-online")]),
        (
            (None, None, Some(Hosting::Consumer), GOVERNMENT),
            None,
            Hosting::Consumer,
            V2,
            &[(V2, "consumer"), (Tenant, "exchange-online:us-government")],
        ),
        ((None, Some(OWN), Some(ONLINE), ONLINE), None, OWN, List, &[(List, "on-premises"), (V2, "exchange-online")]),
        ((None, Some(ONLINE), Some(OWN), ONLINE), None, ONLINE, List, &[(List, "exchange-online"), (V2, "on-premises")]),
        (
            (Some(ONLINE), Some(OWN), Some(ONLINE), OWN),
            worldwide,
            ONLINE,
            Soap,
            &[(Soap, "exchange-online"), (List, "on-premises"), (V2, "exchange-online")],
        ),
        ((Some(ONLINE), None, Some(OWN), ONLINE), None, ONLINE, Soap, &[(Soap, "exchange-online"), (V2, "on-premises")]),
        // clouds are homes of their own
        ((None, None, Some(GOVERNMENT), ONLINE), Some(Membership::Tenant(Some(Cloud::UsGovernment))), GOVERNMENT, V2, &[]),
        ((None, None, Some(DEFENSE), DEFENSE), Some(Membership::Tenant(Some(Cloud::UsDod))), DEFENSE, V2, &[]),
        (
            (None, Some(GOVERNMENT), Some(DEFENSE), GOVERNMENT),
            None,
            GOVERNMENT,
            List,
            &[(List, "exchange-online:us-government"), (V2, "exchange-online:us-dod")],
        ),
        (
            (None, None, None, ONLINE),
            Some(Membership::Tenant(Some(Cloud::UsGovernment))),
            ONLINE,
            Tenant,
            &[(Tenant, "exchange-online"), (Openid, "the domain's tenant is in the cloud us-government")],
        ),
        (
            (None, None, None, DEFENSE),
            Some(Membership::Tenant(Some(Cloud::UsGovernment))),
            DEFENSE,
            Tenant,
            &[(Tenant, "exchange-online:us-dod"), (Openid, "the domain's tenant is in the cloud us-government")],
        ),
        (
            (None, None, None, ONLINE),
            Some(Membership::Nobody),
            ONLINE,
            Tenant,
            &[(Tenant, "exchange-online"), (Openid, "no tenant has the domain")],
        ),
        (
            (None, None, Some(ONLINE), OWN),
            Some(Membership::Nobody),
            ONLINE,
            V2,
            &[(V2, "exchange-online"), (Openid, "no tenant has the domain")],
        ),
        (
            (None, None, None, ONLINE),
            Some(Membership::Consumer),
            ONLINE,
            Tenant,
            &[(Tenant, "exchange-online"), (Openid, "the domain is the consumer service's")],
        ),
        ((None, None, None, ONLINE), Some(Membership::Tenant(None)), ONLINE, Tenant, &[]),
        // a cloud with a sign-in of its own
        (
            (None, None, None, Hosting::ExchangeOnline(Cloud::China)),
            Some(Membership::Nobody),
            Hosting::ExchangeOnline(Cloud::China),
            Tenant,
            &[],
        ),
        ((None, None, None, OWN), Some(Membership::Nobody), OWN, Tenant, &[]),
        ((None, None, Some(OWN), ONLINE), Some(Membership::Nobody), OWN, V2, &[]),
        ((None, None, None, Hosting::Consumer), Some(Membership::Nobody), Hosting::Consumer, Tenant, &[]),
    ] {
        let home = testimony(said, openid).home();
        assert_eq!((home.hosting, home.authority, parties(&home).as_slice()), (hosting, authority, conflict), "{said:?} {openid:?}");
    }
}

#[test]
fn every_combination_of_authorities_has_one_home_by_the_same_rules() {
    let said = [None, Some(ONLINE), Some(GOVERNMENT), Some(DEFENSE), Some(OWN), Some(Hosting::Consumer), Some(Hosting::Other)];
    let memberships = [
        None,
        Some(Membership::Nobody),
        Some(Membership::Consumer),
        Some(Membership::Tenant(None)),
        Some(Membership::Tenant(Some(Cloud::Worldwide))),
        Some(Membership::Tenant(Some(Cloud::UsGovernment))),
        Some(Membership::Tenant(Some(Cloud::UsDod))),
    ];
    let mut combinations = 0;
    let triples = said.into_iter().flat_map(|soap| said.map(|list| (soap, list))).flat_map(|(soap, list)| said.map(|v2| (soap, list, v2)));
    for (soap, list, v2) in triples {
        for tenant in said.into_iter().flatten() {
            for openid in memberships {
                combinations += 1;
                let home = testimony((soap, list, v2, tenant), openid).home();
                assert_eq!(home.hosting, soap.or(list).or(v2).unwrap_or(tenant));
                let told: Vec<Hosting> = [soap, list, v2].into_iter().flatten().collect();
                let differ = told.windows(2).any(|pair| pair[0] != pair[1]);
                let overrides = (soap.is_some() || list.is_none())
                    && !told.is_empty()
                    && matches!(home.hosting, Hosting::Consumer | Hosting::Other)
                    && tenant.cloud().is_some();
                let against = match (home.hosting.cloud(), openid) {
                    (None, _) | (_, None | Some(Membership::Tenant(None))) => false,
                    (_, Some(Membership::Nobody | Membership::Consumer)) => true,
                    (Some(home), Some(Membership::Tenant(Some(cloud)))) => home != cloud,
                };
                let conflict = differ || overrides || against;
                assert_eq!(!home.conflict.is_empty(), conflict, "{soap:?} {list:?} {v2:?} {tenant:?} {openid:?}: {home:?}");
                assert!(home.conflict.is_empty() || home.conflict.len() > 1, "it takes two: {home:?}");
            }
        }
    }
    assert_eq!(combinations, 7 * 7 * 7 * 6 * 7);
}

#[test]
fn a_claim_names_the_lookup_where_it_is_one() {
    let home = testimony((None, Some(OWN), Some(ONLINE), ONLINE), Some(Membership::Nobody)).home();
    let asked: Vec<Option<&str>> = home.conflict.iter().map(|claim| claim.asked.as_deref()).collect();
    assert_eq!(asked, [None, Some("https://asked.example/")]);
}

#[test]
fn a_realm_does_not_tell_the_two_us_government_clouds_apart() {
    for (home, cloud, conflict) in [
        (DEFENSE, Some(Cloud::UsGovernment), false),
        (GOVERNMENT, Some(Cloud::UsGovernment), false),
        (ONLINE, Some(Cloud::UsGovernment), true),
        (DEFENSE, Some(Cloud::Worldwide), true),
        (DEFENSE, None, false),
    ] {
        let realm = Some(told(Membership::Tenant(cloud)));
        let found = Testimony { tenant: home, realm, ..Testimony::default() }.home();
        assert_eq!(!found.conflict.is_empty(), conflict, "{home} {cloud:?}");
    }
}

#[test]
fn metadata_and_realms_say_whose_a_domain_is() {
    let directory =
        |id: &str, cloud| OpenIdAnswer::Directory(Directory { id: id.into(), region: None, sub_region: None, cloud_instance: None, cloud });
    let refused =
        |error: &str, code| OpenIdAnswer::Refused(OpenIdRefusal { status: 400, error: error.into(), code, description: String::new() });
    let tenant = "1b5e5c0a-7d1e-4c8b-9a52-0f2f6d3c9e11";
    for (answer, membership) in [
        (directory(tenant, Some(Cloud::UsDod)), Some(Membership::Tenant(Some(Cloud::UsDod)))),
        (directory(tenant, None), Some(Membership::Tenant(None))),
        (directory(Directory::CONSUMER_ID, Some(Cloud::Worldwide)), Some(Membership::Consumer)),
        (refused("invalid_tenant", None), Some(Membership::Nobody)),
        (refused("invalid_request", Some(90_002)), Some(Membership::Nobody)),
        (refused("invalid_request", Some(90_023)), None),
    ] {
        assert_eq!(Membership::of_openid(&answer), membership, "{answer:?}");
    }
    let realm = |namespace, consumer, cloud| Realm {
        namespace,
        domain: None,
        brand: None,
        sign_in_url: None,
        consumer,
        cloud_instance: None,
        cloud,
    };
    for (realm, membership) in [
        (realm(Namespace::Managed, None, Some(Cloud::China)), Some(Membership::Tenant(Some(Cloud::China)))),
        (realm(Namespace::Federated, Some(false), None), Some(Membership::Tenant(None))),
        (realm(Namespace::Managed, Some(true), Some(Cloud::Worldwide)), Some(Membership::Consumer)),
        (realm(Namespace::Unknown, None, None), Some(Membership::Nobody)),
        (realm(Namespace::Other("Viral".into()), None, None), None),
    ] {
        assert_eq!(Membership::of_realm(&realm), membership, "{realm:?}");
    }
}

#[test]
fn a_host_tells_where_the_mailbox_lives_unless_it_serves_both() {
    let (table, address) = (EndpointTable::built_in().unwrap(), Address::parse("anna@contoso.com").unwrap());
    let allowed = ["mail.hoster.example".to_owned(), "*.%EMAILDOMAIN%.hoster.example".to_owned()];
    for (host, hosting) in [
        ("outlook.office365.com", Some(ONLINE)),
        ("outlook.office365.us", Some(GOVERNMENT)),
        ("outlook-dod.office365.us", Some(DEFENSE)),
        ("partner.outlook.cn", Some(Hosting::ExchangeOnline(Cloud::China))),
        ("eas.outlook.com", Some(Hosting::Consumer)),
        ("m.hotmail.com", Some(Hosting::Consumer)),
        ("m.outlook.com", None),
        ("mail.contoso.com", Some(OWN)),
        ("contoso.com", Some(OWN)),
        ("mail.hoster.example", Some(OWN)),
        ("eas.contoso.com.hoster.example", Some(OWN)),
        ("mail.fabrikam.com", Some(Hosting::Other)),
        ("evil-contoso.com", Some(Hosting::Other)),
        ("outlook.office365.com.evil.example", Some(Hosting::Other)),
    ] {
        assert_eq!(hosting_of_host(&table, host, (&address, &allowed)), hosting, "{host}");
    }
}

#[test]
fn a_personal_account_is_believed_beside_a_canary_that_nobody_knows() {
    use Existence::{Both, Failed, Nowhere, Personal, Throttled, Unknown, Work};
    for (existence, canary, is_personal) in [
        (Personal, Some(Nowhere), true),
        (Both, Some(Nowhere), true),
        (Work, Some(Nowhere), false),
        (Nowhere, Some(Nowhere), false),
        (Throttled, Some(Nowhere), false),
        (Failed, Some(Nowhere), false),
        (Unknown(-1), Some(Nowhere), false),
        (Both, Some(Work), false),
        (Both, Some(Both), false),
        (Personal, Some(Personal), false),
        (Both, Some(Throttled), false),
        (Both, Some(Unknown(7)), false),
        (Both, None, false),
    ] {
        let found = Accounts { existence: Some(told(existence)), canary, autodetect: None }.personal_account();
        assert_eq!(found.is_some(), is_personal, "{existence:?} {canary:?}: {found:?}");
        assert!(found.is_none_or(|line| line.starts_with("https://asked.example/: ")));
    }
}

#[test]
fn autodetect_tells_of_two_accounts_only_where_it_lists_both_services() {
    for (services, both) in [
        (&["office365", "outlook"][..], true),
        (&["outlook", "google", "office365"], true),
        (&["office365"], false),
        (&["outlook"], false),
        (&[], false),
    ] {
        let service = |name: &&str| AutoDetectService { service: Some((*name).to_owned()), ..AutoDetectService::default() };
        let answer = AutoDetect { services: services.iter().map(service).collect(), ..AutoDetect::default() };
        let found = Accounts { autodetect: Some(told(&answer)), ..Accounts::default() }.personal_account();
        assert_eq!(found.is_some(), both, "{services:?}");
    }
}
