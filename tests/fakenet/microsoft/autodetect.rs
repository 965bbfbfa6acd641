//! AutoDetect (`microsoft.md` section 4).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{CloudHosts, Directory};
use crate::fakenet::{
    seen::{Log, Seen},
    site::{Act, Answer},
};

/// What AutoDetect does for an address.
#[derive(Debug, Clone)]
pub enum Detected {
    /// 200 with rows of `services`, and with rows of its provider database.
    Found { services: Vec<Value>, rows: Vec<Row> },
    /// 204.
    Nothing,
    /// 202 so many times, with `Retry-After` in seconds, and then the other.
    Later { times: usize, seconds: u64, then: Box<Detected> },
    /// 503 with `Retry-After` in seconds.
    Unavailable { seconds: u64 },
    /// Something else.
    Other(Box<Act>),
}

/// A row of `protocols`, out of the provider database: never tried with the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// `imap`, `pop3`, `smtp`.
    pub protocol: &'static str,
    pub host: &'static str,
    pub port: u16,
    /// `ssl`, `starttls`.
    pub encryption: &'static str,
}

/// A row of `services`: `office365` or `outlook`, with the hosts of its cloud.
pub fn service(name: &str, hosts: Option<CloudHosts>) -> Value {
    match hosts {
        // the worldwide cloud's REST interface has a host of its own
        Some(CloudHosts { exchange: "outlook.office365.com", .. }) => {
            json!({ "service": name, "protocol": "rest", "hostname": "outlook.office.com",
                    "aad": "https://login.windows.net/common/oauth2/authorize", "onprem": false })
        }
        Some(hosts) => json!({ "service": name, "protocol": "rest", "hostname": hosts.exchange,
                               "aad": format!("https://login.{}/common/oauth2/authorize", hosts.sign_in), "onprem": false }),
        None => json!({ "service": name, "protocol": "rest", "hostname": "outlook.office.com" }),
    }
}

pub(super) fn answer(directory: &Directory, seen: &Seen, log: &Log) -> Act {
    if seen.path != PATH || seen.method != "GET" {
        return Act::status(404);
    }
    // the service takes `Authorization: Basic` as well, which may hold a password: nobody may send it here
    let Some(address) = seen.email.clone() else { return Act::status(400) };
    let mut before = None;
    let mut detected = directory.tenancy(&address).detected;
    loop {
        detected = match detected {
            Detected::Found { services, rows } => return found(&address, &services, &rows),
            Detected::Nothing => return Act::empty(204),
            Detected::Unavailable { seconds } => return Act::Busy { status: 503, seconds },
            Detected::Other(act) => return *act,
            Detected::Later { times, seconds, then } => {
                if *before.get_or_insert_with(|| log.count(seen, &address)) < times {
                    return Act::Answer(Answer::new(202).header("Retry-After", seconds.to_string()));
                }
                *then
            }
        };
    }
}

fn found(address: &str, services: &[Value], rows: &[Row]) -> Act {
    let protocols: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({ "protocol": row.protocol, "hostname": row.host, "port": row.port, "encryption": row.encryption,
                    "username": address, "validated": false })
        })
        .collect();
    let body = json!({ "email": address, "services": services, "protocols": protocols });
    let answer = Answer::json(200, body.to_string()).header("X-Request-Id", "00000000-0000-0000-0000-000000000001");
    if rows.is_empty() {
        return Act::Answer(answer);
    }
    let provider =
        json!({ "Id": PROVIDER, "CreatedAt": "2020-02-03T05:31:23", "UpdatedAt": "2020-02-03T05:31:23", "IsCrowdsourced": false });
    let debug = json!({ "decision": "autoDv2 > autoDv1 > fixed db provider > db provider", "db": { "provider": provider } });
    let answer = answer.header("X-Provider-Id", PROVIDER).header("X-AutoDv2-Error", "ENOTFOUND");
    Act::Answer(answer.header("X-Debug-Support", BASE64_STANDARD.encode(debug.to_string())))
}

const PATH: &str = "/autodetect/detect";
const PROVIDER: &str = "formerhoster";
