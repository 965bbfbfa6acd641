//! AutoDetect, the service that new Outlook, Outlook mobile and recent classic Outlook ask (`microsoft.md` section 4; not
//! published). The address goes in the header `X-Email` and nowhere else: classic Outlook's Basic header may hold a password.

use super::{
    Fault, HttpAnswer,
    base64::decode_base64,
    json::{Object, flag, read_json},
};
use crate::model::{AutoDetect, AutoDetectAnswer, AutoDetectEvidence, AutoDetectProtocol, AutoDetectService, ProviderRow, normalise_host};

/// The header that holds the address.
pub const AUTODETECT_ADDRESS_HEADER: &str = "X-Email";

/// Reads an answer.
///
/// # Errors
/// The [`Fault`] that leaves no answer. Nothing found, still searching and unavailable are answers.
pub fn parse_autodetect(answer: &HttpAnswer<'_>) -> Result<AutoDetectAnswer, Fault> {
    let retry_after = answer.retry_after();
    match answer.status {
        200 => read(answer).map(|found| {
            if found.services.is_empty() && found.protocols.is_empty() {
                AutoDetectAnswer::Nothing(Box::new(found.evidence))
            } else {
                AutoDetectAnswer::Found(Box::new(found))
            }
        }),
        202 => Ok(AutoDetectAnswer::Searching { so_far: read(answer).ok().map(Box::new), retry_after }),
        204 => Ok(AutoDetectAnswer::Nothing(Box::new(evidence(answer)))),
        429 | 503 => Ok(AutoDetectAnswer::Unavailable { retry_after }),
        status => Err(Fault::Status { status }),
    }
}

fn read(answer: &HttpAnswer<'_>) -> Result<AutoDetect, Fault> {
    let root = read_json(answer.body, answer.content_type())?;
    let root = Object(&root);
    let (services, protocols) = (root.objects("services"), root.objects("protocols"));
    if services.is_none() && protocols.is_none() {
        return Err(Fault::NoMember { name: "protocols" });
    }
    Ok(AutoDetect {
        email: root.text("email"),
        services: services.unwrap_or_default().into_iter().map(service).collect(),
        protocols: protocols.unwrap_or_default().into_iter().map(protocol).collect(),
        evidence: evidence(answer),
    })
}

fn service(row: Object<'_>) -> AutoDetectService {
    // A boolean in some answers, the URL of the organisation's server in others.
    let own = row.text("onprem");
    let is_own = own.as_deref().map(|own| flag(own).unwrap_or(true));
    AutoDetectService {
        service: lower(row, "service"),
        protocol: lower(row, "protocol"),
        hostname: row.text("hostname").map(|host| normalise_host(&host)),
        aad: row.text("aad"),
        on_premises: is_own,
        on_premises_url: own.filter(|own| flag(own).is_none()),
    }
}

fn protocol(row: Object<'_>) -> AutoDetectProtocol {
    AutoDetectProtocol {
        protocol: lower(row, "protocol"),
        hostname: row.text("hostname").map(|host| normalise_host(&host)),
        port: row.number("port").and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0),
        encryption: lower(row, "encryption"),
        username: row.text("username"),
        validated: row.flag("validated"),
        insecure: row.flag("insecure"),
    }
}

fn evidence(answer: &HttpAnswer<'_>) -> AutoDetectEvidence {
    let header = |name| answer.header(name).map(ToOwned::to_owned);
    AutoDetectEvidence {
        provider_id: header("X-Provider-Id"),
        v2_error: header("X-AutoDv2-Error"),
        request_id: header("X-Request-Id"),
        row: answer.header("X-Debug-Support").and_then(provider_row),
    }
}

/// The provider's row in the base64 of `X-Debug-Support`.
fn provider_row(header: &str) -> Option<ProviderRow> {
    let root = read_json(&decode_base64(header)?, "").ok()?;
    let root = Object(&root);
    let provider = root.object("db")?.object("provider")?;
    Some(ProviderRow {
        id: provider.text("Id"),
        created_at: provider.text("CreatedAt"),
        updated_at: provider.text("UpdatedAt"),
        crowdsourced: provider.flag("IsCrowdsourced"),
        decision: root.text("decision"),
    })
}

fn lower(row: Object<'_>, name: &str) -> Option<String> {
    row.text(name).map(|text| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cloud, Hosting};

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn parse(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<AutoDetectAnswer, Fault> {
        let headers: Vec<(String, String)> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        parse_autodetect(&HttpAnswer { status, headers: &headers, body })
    }

    fn found(body: &[u8]) -> AutoDetect {
        match parse(200, &[], body) {
            Ok(AutoDetectAnswer::Found(found)) => *found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn services_tell_work_from_personal() {
        for (body, hosting) in [
            (fixture!("autodetect-office365.json"), Some(Hosting::ExchangeOnline(Cloud::Worldwide))),
            (fixture!("autodetect-consumer.json"), Some(Hosting::Consumer)),
            (fixture!("autodetect-on-premises-url.json"), Some(Hosting::OnPremises)),
            (fixture!("autodetect-two-services.json"), None),
            (fixture!("autodetect-provider-row.json"), None),
        ] {
            assert_eq!(found(body).hosting(), hosting);
        }
        let own = &found(fixture!("autodetect-on-premises-url.json")).services[0];
        let url = Some("https://mail.contoso.com/Microsoft-Server-ActiveSync");
        assert_eq!((own.on_premises, own.on_premises_url.as_deref()), (Some(true), url));
    }

    #[test]
    fn a_row_that_was_never_tried_is_kept_with_its_reason() {
        // {"decision":"autoDv2 > db provider","db":{"provider":{"Id":"row1","CreatedAt":"2020-02-03T05:31:23","IsCrowdsourced":false}}}
        let debug = "eyJkZWNpc2lvbiI6ImF1dG9EdjIgPiBkYiBwcm92aWRlciIsImRiIjp7InByb3ZpZGVyIjp7IklkIjoicm93MSIsIkNyZWF0ZWRBdCI6IjIwMjAtMDItMDNUMDU6MzE6MjMiLCJJc0Nyb3dkc291cmNlZCI6ZmFsc2V9fX0=";
        let headers = [("x-provider-id", "row1"), ("x-autodv2-error", "ENOTFOUND"), ("x-debug-support", debug)];
        let Ok(AutoDetectAnswer::Found(found)) = parse(200, &headers, fixture!("autodetect-provider-row.json")) else { panic!() };
        let expected = AutoDetectProtocol {
            protocol: Some("imap".into()),
            hostname: Some("imap.fabrikam.com".into()),
            port: Some(993),
            encryption: Some("ssl".into()),
            username: Some("anna@contoso.com".into()),
            validated: Some(false),
            insecure: None,
        };
        assert_eq!((found.services.len(), &found.protocols[0], found.protocols.len()), (0, &expected, 2));
        let row = ProviderRow {
            id: Some("row1".into()),
            created_at: Some("2020-02-03T05:31:23".into()),
            crowdsourced: Some(false),
            decision: Some("autoDv2 > db provider".into()),
            ..ProviderRow::default()
        };
        let evidence =
            AutoDetectEvidence { provider_id: Some("row1".into()), v2_error: Some("ENOTFOUND".into()), request_id: None, row: Some(row) };
        assert_eq!(found.evidence, evidence);
    }

    #[test]
    fn a_debug_header_that_cannot_be_read_is_left_out() {
        for debug in ["!", "bm90IGpzb24=", "e30=", "eyJkYiI6eyJwcm92aWRlciI6bnVsbH19"] {
            let Ok(AutoDetectAnswer::Nothing(evidence)) = parse(204, &[("X-Debug-Support", debug)], b"") else { panic!("{debug}") };
            assert_eq!(*evidence, AutoDetectEvidence::default(), "{debug}");
        }
    }

    #[test]
    fn odd_rows_are_read_for_what_they_say() {
        let found = found(fixture!("autodetect-no-services.json"));
        let ports: Vec<_> = found.protocols.iter().map(|row| (row.hostname.as_deref(), row.port, row.validated)).collect();
        let expected = [
            (Some("imap.contoso.com"), Some(993), Some(true)),
            (Some("smtp.contoso.com"), None, None),
            (None, None, None),
            (Some("pop.contoso.com"), None, Some(false)),
        ];
        assert_eq!(ports, expected);
    }

    #[test]
    fn every_status_has_its_meaning() {
        let nothing = || Ok(AutoDetectAnswer::Nothing(Box::default()));
        for (status, headers, body, expected) in [
            (204, vec![], &b""[..], nothing()),
            (200, vec![], fixture!("autodetect-empty-lists.json"), nothing()),
            (202, vec![], b"", Ok(AutoDetectAnswer::Searching { so_far: None, retry_after: None })),
            (202, vec![("Retry-After", "3")], b"{}", Ok(AutoDetectAnswer::Searching { so_far: None, retry_after: Some(3) })),
            (503, vec![("Retry-After", "30")], b"", Ok(AutoDetectAnswer::Unavailable { retry_after: Some(30) })),
            (429, vec![("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")], b"", Ok(AutoDetectAnswer::Unavailable { retry_after: None })),
            (500, vec![], b"", Err(Fault::Status { status: 500 })),
            (401, vec![], b"", Err(Fault::Status { status: 401 })),
            (200, vec![], b"", Err(Fault::Empty)),
            (200, vec![], b"{}", Err(Fault::NoMember { name: "protocols" })),
            (200, vec![], fixture!("page.html"), Err(Fault::Html)),
        ] {
            assert_eq!(parse(status, &headers, body), expected, "{status}");
        }
        let Ok(AutoDetectAnswer::Searching { so_far: Some(so_far), .. }) = parse(202, &[], fixture!("autodetect-provider-row.json")) else {
            panic!()
        };
        assert_eq!(so_far.protocols.len(), 2);
    }
}
