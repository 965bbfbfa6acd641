//! What Microsoft's sign-in service says of a domain (`userrealm`, `GetUserRealm.srf` in JSON and XML, `OpenID` Connect Discovery 1.0
//! section 4) and of an address (`GetCredentialType`, which is not published).

use super::{
    Fault, HttpAnswer,
    element::Element,
    fault::clip,
    json::{Object, flag, read_json},
    xml::read_tree,
};
use crate::model::{
    Address, Cloud, CredentialType, Directory, Domain, Existence, Namespace, OpenIdAnswer, OpenIdRefusal, Realm, graph_cloud, sign_in_cloud,
};

/// The URL of a domain's realm at a sign-in host. It wants an address: [`Address::postmaster`] serves.
#[must_use]
pub fn realm_url(host: &str, address: &Address) -> String {
    format!("https://{host}/common/userrealm/{}?api-version=2.0", address.percent_encoded())
}

/// The URL of a domain's `OpenID` metadata at a sign-in host.
#[must_use]
pub fn openid_url(host: &str, domain: &Domain) -> String {
    format!("https://{host}/{domain}/v2.0/.well-known/openid-configuration")
}

/// The body of a `GetCredentialType` request; to be sent as `application/json`.
#[must_use]
pub fn credential_type_request(address: &Address) -> String {
    serde_json::json!({ "username": address.to_string(), "isOtherIdpSupported": true, "checkPhones": false }).to_string()
}

/// Reads a realm in any of its four forms.
///
/// # Errors
/// The [`Fault`] that leaves no realm. A domain that is in no tenant has one too.
pub fn parse_realm(body: &[u8], content_type: &str) -> Result<Realm, Fault> {
    match read_json(body, content_type) {
        Ok(root) => read_realm(&|name| Object(&root).text(name)),
        Err(Fault::Xml) => {
            let tree = read_tree(body, content_type, "RealmInfo")?;
            let root: &Element = &tree.root;
            tree.broken.map_or_else(|| read_realm(&|name| root.text_of(name)), Err)
        }
        Err(fault) => Err(fault),
    }
}

fn read_realm(text: &dyn Fn(&str) -> Option<String>) -> Result<Realm, Fault> {
    let first = |names: &[&str]| names.iter().find_map(|name| text(name));
    let namespace = match first(&["NameSpaceType", "account_type"]) {
        Some(name) => namespace(&name),
        None => match text("State").and_then(|state| state.parse::<u8>().ok()) {
            Some(4) => Namespace::Managed,
            Some(3) => Namespace::Federated,
            Some(_) => Namespace::Unknown,
            None => return Err(Fault::NoMember { name: "NameSpaceType" }),
        },
    };
    let cloud_instance = first(&["cloud_instance_name", "CloudInstanceName"]);
    // Its query names the mailbox.
    let sign_in_url = first(&["AuthURL", "federation_active_auth_url"]).and_then(|url| url.split('?').next().map(ToOwned::to_owned));
    Ok(Realm {
        namespace,
        domain: first(&["DomainName", "domain_name"]).map(|domain| domain.to_lowercase()),
        brand: first(&["FederationBrandName"]),
        sign_in_url,
        consumer: first(&["ConsumerDomain"]).and_then(|text| flag(&text)),
        cloud: cloud_instance.as_deref().and_then(sign_in_cloud),
        cloud_instance,
    })
}

fn namespace(name: &str) -> Namespace {
    match name.to_ascii_lowercase().as_str() {
        "managed" => Namespace::Managed,
        "federated" => Namespace::Federated,
        "unknown" => Namespace::Unknown,
        _ => Namespace::Other(clip(name, 100)),
    }
}

/// Reads `OpenID` metadata, or the error that comes in its place with a 400.
///
/// # Errors
/// The [`Fault`] that leaves no answer. "No such tenant" is an answer.
pub fn parse_openid(answer: &HttpAnswer<'_>) -> Result<OpenIdAnswer, Fault> {
    let is_success = (200..300).contains(&answer.status);
    let root = match read_json(answer.body, answer.content_type()) {
        Err(_) if !is_success => return Err(Fault::Status { status: answer.status }),
        read => read?,
    };
    let root = Object(&root);
    if let Some(error) = root.text("error") {
        return Ok(OpenIdAnswer::Refused(refusal(answer.status, &error, root)));
    }
    if !is_success {
        return Err(Fault::Status { status: answer.status });
    }
    let (issuer, token_endpoint) = (root.text("issuer"), root.text("token_endpoint"));
    if issuer.is_none() && token_endpoint.is_none() {
        return Err(Fault::NoMember { name: "issuer" });
    }
    let id =
        [&issuer, &token_endpoint].into_iter().flatten().find_map(|url| tenant_id(url)).ok_or(Fault::NoMember { name: "tenant id" })?;
    let (sub_region, cloud_instance) = (root.text("tenant_region_sub_scope"), root.text("cloud_instance_name"));
    let cloud = match sub_region.as_deref() {
        Some("DOD") => Some(Cloud::UsDod),
        Some("DODCON") => Some(Cloud::UsGovernment),
        // The Graph host tells GCC High from DoD, which share a sign-in host.
        _ => root.text("msgraph_host").as_deref().and_then(graph_cloud).or_else(|| cloud_instance.as_deref().and_then(sign_in_cloud)),
    };
    Ok(OpenIdAnswer::Directory(Directory { id, region: root.text("tenant_region_scope"), sub_region, cloud_instance, cloud }))
}

fn refusal(status: u16, error: &str, root: Object<'_>) -> OpenIdRefusal {
    let text = root.text("error_description").unwrap_or_default();
    let digits: String =
        text.split_once("AADSTS").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect()).unwrap_or_default();
    let description = clip(text.lines().next().unwrap_or_default().trim(), 500);
    OpenIdRefusal { status, error: clip(error, 100), code: digits.parse().ok(), description }
}

/// The first segment of a URL that is a GUID, lower case.
fn tenant_id(url: &str) -> Option<String> {
    let is_id = |segment: &&str| {
        let groups: Vec<usize> = segment.split('-').map(str::len).collect();
        groups == [8, 4, 4, 4, 12] && segment.bytes().all(|octet| octet == b'-' || octet.is_ascii_hexdigit())
    };
    url.split('/').find(is_id).map(str::to_ascii_lowercase)
}

/// Reads the answer of `GetCredentialType`.
///
/// # Errors
/// The [`Fault`] that leaves no answer. Being throttled is an answer.
pub fn parse_credential_type(body: &[u8], content_type: &str) -> Result<CredentialType, Fault> {
    let root = read_json(body, content_type)?;
    let root = Object(&root);
    let result = root.number("IfExistsResult").ok_or(Fault::NoMember { name: "IfExistsResult" })?;
    let is_throttled = root.number("ThrottleStatus").is_some_and(|status| status > 0);
    let existence = match result {
        _ if is_throttled => Existence::Throttled,
        0 => Existence::Work,
        1 => Existence::Nowhere,
        2 => Existence::Throttled,
        4 => Existence::Failed,
        5 => Existence::Personal,
        6 => Existence::Both,
        other => Existence::Unknown(other),
    };
    let domain_type = root.object("EstsProperties").and_then(|properties| properties.number("DomainType"));
    let namespace = domain_type.map(|number| match number {
        3 => Namespace::Managed,
        4 => Namespace::Federated,
        2 => Namespace::Other("Consumer".to_owned()),
        other => Namespace::Other(other.to_string()),
    });
    let federation_url = root.object("Credentials").and_then(|credentials| credentials.text("FederationRedirectUrl"));
    // Its query names the mailbox.
    let federation_url = federation_url.and_then(|url| url.split('?').next().map(ToOwned::to_owned));
    Ok(CredentialType { existence, namespace, federation_url, unmanaged: root.flag("IsUnmanaged") })
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn openid(status: u16, body: &[u8]) -> Result<OpenIdAnswer, Fault> {
        parse_openid(&HttpAnswer { status, headers: &[], body })
    }

    #[test]
    fn the_four_forms_of_a_realm_say_the_same() {
        let expected = Realm {
            namespace: Namespace::Managed,
            domain: Some("contoso.com".into()),
            brand: Some("Contoso".into()),
            sign_in_url: None,
            consumer: None,
            cloud_instance: Some("microsoftonline.com".into()),
            cloud: Some(Cloud::Worldwide),
        };
        for body in [fixture!("realm-managed.json"), fixture!("realm-managed-srf.json"), fixture!("realm-managed-srf.xml")] {
            assert_eq!(parse_realm(body, ""), Ok(expected.clone()));
        }
        assert_eq!(parse_realm(fixture!("realm-managed-v1.json"), ""), Ok(Realm { brand: None, ..expected }));
    }

    #[test]
    fn other_realms_are_told_apart() {
        let federated = parse_realm(fixture!("realm-federated.json"), "").unwrap();
        assert_eq!(
            (&federated.namespace, federated.sign_in_url.as_deref()),
            (&Namespace::Federated, Some("https://sts.contoso.com/adfs/ls/"))
        );
        let unknown = parse_realm(fixture!("realm-unknown.json"), "").unwrap();
        assert_eq!((&unknown.namespace, unknown.cloud, unknown.consumer), (&Namespace::Unknown, None, None));
        let consumer = parse_realm(fixture!("realm-consumer.json"), "").unwrap();
        assert_eq!(consumer.consumer, Some(true));
        let government = parse_realm(fixture!("realm-us-government.json"), "").unwrap();
        assert_eq!(government.cloud, Some(Cloud::UsGovernment));
        let state = parse_realm(br#"{"State":3,"UserState":2,"DomainName":"contoso.com"}"#, "").unwrap();
        assert_eq!(state.namespace, Namespace::Federated);
        let other = parse_realm(br#"{"NameSpaceType":"Viral"}"#, "").unwrap();
        assert_eq!(other.namespace, Namespace::Other("Viral".into()));
    }

    #[test]
    fn what_is_no_realm_is_refused_by_name() {
        for (body, fault) in [
            (&b"{}"[..], Fault::NoMember { name: "NameSpaceType" }),
            (b"<RealmInfo Success=\"true\"/>", Fault::NoMember { name: "NameSpaceType" }),
            (b"<RealmInfo><State>4</State><NameSpaceType>Man", Fault::CutOff { element: "NameSpaceType".into() }),
            (fixture!("pox-exchange.xml"), Fault::WrongRoot { name: "Autodiscover".into() }),
            (fixture!("page.html"), Fault::Html),
            (fixture!("text.txt"), Fault::NotJson),
        ] {
            assert_eq!(parse_realm(body, ""), Err(fault.clone()), "{fault}");
        }
    }

    #[test]
    fn metadata_name_the_directory_and_its_cloud() {
        for (body, cloud, sub_region) in [
            (fixture!("openid-worldwide.json"), Some(Cloud::Worldwide), None),
            (fixture!("openid-gcc.json"), Some(Cloud::Worldwide), Some("GCC")),
            (fixture!("openid-gcc-high.json"), Some(Cloud::UsGovernment), Some("DODCON")),
            (fixture!("openid-dod.json"), Some(Cloud::UsDod), Some("DOD")),
            (fixture!("openid-dod-without-sub-scope.json"), Some(Cloud::UsDod), None),
            (fixture!("openid-china.json"), Some(Cloud::China), None),
            (fixture!("openid-unknown-cloud.json"), None, None),
        ] {
            let Ok(OpenIdAnswer::Directory(directory)) = openid(200, body) else { panic!("{cloud:?}") };
            assert_eq!((directory.id.as_str(), directory.is_consumer()), ("1b5e5c0a-7d1e-4c8b-9a52-0f2f6d3c9e11", false));
            assert_eq!((directory.cloud, directory.sub_region.as_deref()), (cloud, sub_region));
        }
        let Ok(OpenIdAnswer::Directory(consumer)) = openid(200, fixture!("openid-consumer.json")) else { panic!() };
        assert!(consumer.is_consumer());
    }

    #[test]
    fn no_such_tenant_is_an_answer() {
        let Ok(OpenIdAnswer::Refused(refusal)) = openid(400, fixture!("openid-no-tenant.json")) else { panic!() };
        assert_eq!((refusal.code, refusal.is_no_tenant(), refusal.status), (Some(90_002), true, 400));
        assert_eq!(refusal.description, "AADSTS90002: Tenant 'contoso.com' not found. Check to make sure you have the correct tenant ID.");
        let Ok(OpenIdAnswer::Refused(refusal)) = openid(400, br#"{"error":"invalid_request","error_description":"AADSTS90023: x"}"#) else {
            panic!()
        };
        assert_eq!((refusal.code, refusal.is_no_tenant()), (Some(90_023), false));
        for (status, body, fault) in [
            (200, &b"{}"[..], Fault::NoMember { name: "issuer" }),
            (200, fixture!("openid-common.json"), Fault::NoMember { name: "tenant id" }),
            (200, fixture!("page.html"), Fault::Html),
            (500, fixture!("page.html"), Fault::Status { status: 500 }),
            (503, b"{}", Fault::Status { status: 503 }),
        ] {
            assert_eq!(openid(status, body), Err(fault.clone()), "{fault}");
        }
    }

    #[test]
    fn a_throttled_answer_says_nothing_about_the_account() {
        let parse = |body: &[u8]| parse_credential_type(body, "application/json");
        let existence = |number: i64, throttled: i64| {
            parse(format!("{{\"IfExistsResult\":{number},\"ThrottleStatus\":{throttled}}}").as_bytes()).unwrap().existence
        };
        let expected = [
            (0, Existence::Work),
            (1, Existence::Nowhere),
            (2, Existence::Throttled),
            (4, Existence::Failed),
            (5, Existence::Personal),
            (6, Existence::Both),
            (-1, Existence::Unknown(-1)),
        ];
        for (number, expected) in expected {
            assert_eq!((existence(number, 0), existence(number, 1)), (expected, Existence::Throttled), "{number}");
        }
        let read = parse(fixture!("credential-type-federated.json")).unwrap();
        let url = Some("https://sts.contoso.com/adfs/ls/".to_owned());
        let expected = CredentialType {
            existence: Existence::Both,
            namespace: Some(Namespace::Federated),
            federation_url: url,
            unmanaged: Some(false),
        };
        assert_eq!(read, expected);
        assert_eq!(parse(b"{\"ThrottleStatus\":1}"), Err(Fault::NoMember { name: "IfExistsResult" }));
    }

    #[test]
    fn questions_escape_the_address() {
        let address = Address::parse("\"a\\\"/b\"@contoso.com").unwrap();
        assert!(
            credential_type_request(&address).contains(r#""username":"\"a\\\"/b\"@contoso.com""#),
            "{}",
            credential_type_request(&address)
        );
        assert!(
            realm_url("login.microsoftonline.com", &address).ends_with("/common/userrealm/%22a%5C%22%2Fb%22%40contoso.com?api-version=2.0")
        );
        let url = openid_url("login.microsoftonline.com", address.domain());
        assert_eq!(url, "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration");
    }
}
