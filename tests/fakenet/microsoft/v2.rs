//! Autodiscover v2 (`microsoft.md` section 3).

use autodiscover_audit::model::Cloud;

use super::{Directory, hosts};
use crate::fakenet::{
    seen::Seen,
    site::{Act, Answer},
};

/// What Autodiscover v2 does for an address.
#[derive(Debug, Clone)]
pub enum V2 {
    /// Exchange Online in a cloud: its own host says so, the others lead there.
    Cloud(Cloud),
    /// This URL, whatever the protocol.
    Endpoint(String),
    /// 302; `{address}` and `{protocol}` are filled in.
    Away(String),
    /// An error with its code.
    Refused { status: u16, code: &'static str },
    /// Something else.
    Other(Box<Act>),
}

pub(super) fn answer(directory: &Directory, seen: &Seen) -> Act {
    let is_v2 = seen.path.starts_with(PATH) && matches!(seen.path.as_bytes().get(PATH.len()), None | Some(b'/'));
    if !is_v2 || seen.method != "GET" {
        return Act::status(404);
    }
    let Some(protocol) = seen.parameter("Protocol") else { return refused(400, "MissingProtocol", "A protocol is missing.") };
    let Some(address) = seen.address() else { return refused(400, "MandatoryParameterMissing", "Email is missing.") };
    let Some((_, path)) = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&protocol)) else {
        let names: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
        let message = format!("Protocol: The protocol '{protocol}' is not supported. Supported protocols are '{}'.", names.join(","));
        return refused(400, "ProtocolNotSupported", &message);
    };
    match directory.tenancy(&address).v2 {
        V2::Cloud(cloud) => {
            let host = hosts(cloud).exchange;
            if seen.host == host {
                endpoint(&protocol, &format!("https://{host}{path}"))
            } else {
                let query = if seen.query.is_empty() { String::new() } else { format!("?{}", seen.query) };
                Act::redirect(302, format!("https://{host}{}{query}", seen.path))
            }
        }
        V2::Endpoint(url) => endpoint(&protocol, &url),
        V2::Away(url) => {
            let encoded: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
            Act::redirect(302, url.replace("{address}", &encoded).replace("{protocol}", &protocol))
        }
        V2::Refused { status, code } => refused(status, code, "The given user is not found."),
        V2::Other(act) => *act,
    }
}

fn endpoint(protocol: &str, url: &str) -> Act {
    Act::json(serde_json::json!({ "Protocol": protocol, "Url": url }).to_string())
}

fn refused(status: u16, code: &str, message: &str) -> Act {
    Act::Answer(Answer::json(status, serde_json::json!({ "ErrorCode": code, "ErrorMessage": message }).to_string()))
}

const PATH: &str = "/autodiscover/autodiscover.json";
const PROTOCOLS: [(&str, &str); 4] = [
    ("ActiveSync", "/Microsoft-Server-ActiveSync"),
    ("AutodiscoverV1", "/autodiscover/autodiscover.xml"),
    ("Ews", "/EWS/Exchange.asmx"),
    ("Rest", "/api"),
];
