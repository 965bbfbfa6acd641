//! Records as the model has them: MX (RFC 5321 section 5.1, RFC 7505), SRV (RFC 2782), addresses. Knows no sockets.

use std::net::IpAddr;

use hickory_resolver::proto::rr::{RData, RecordType};

use super::dns::{Records, Resolver, host_text};
use crate::model::{AnswerOutcome, MxRecord, Obstacle, Reply, SrvRecord};

/// The addresses of a host, IPv4 first, and its chain of CNAMEs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) cnames: Vec<String>,
}

/// A reply with the chain of CNAMEs that led to it.
pub(super) type Told = (Reply, Vec<String>);

impl Resolver {
    pub(super) async fn mx(&self, domain: &str) -> Told {
        let found = match self.records(domain, RecordType::MX).await {
            Ok(found) => found,
            Err(obstacle) => return (Reply::Obstacle(obstacle), Vec::new()),
        };
        let mut records = found.map(|data| match data {
            RData::MX(mx) => Some(MxRecord { preference: mx.preference, exchange: host_text(&mx.exchange) }),
            _ => None,
        });
        records.retain(|record| !record.exchange.is_empty());
        records.sort(); // servers rotate equal ones: a stable order keeps equal answers equal
        let reply = if records.is_empty() { Reply::Obstacle(Obstacle::NotOffered) } else { Reply::Mx(records) };
        (reply, found.cnames)
    }

    pub(super) async fn srv(&self, name: &str) -> Told {
        let found = match self.records(name, RecordType::SRV).await {
            Ok(found) => found,
            Err(obstacle) => return (Reply::Obstacle(obstacle), Vec::new()),
        };
        let mut records = found.map(|data| match data {
            RData::SRV(srv) => {
                Some(SrvRecord { priority: srv.priority, weight: srv.weight, port: srv.port, target: host_text(&srv.target) })
            }
            _ => None,
        });
        records.sort();
        // beside others, a target of `.` is kept: some clients stumble over it
        let offered = records.iter().any(|record| !record.target.is_empty());
        let reply = if offered { Reply::Srv(records) } else { Reply::Obstacle(Obstacle::NotOffered) };
        (reply, found.cnames)
    }

    /// TXT records, the strings of each joined (RFC 1464 section 2).
    pub(super) async fn txt(&self, name: &str) -> Told {
        let found = match self.records(name, RecordType::TXT).await {
            Ok(found) => found,
            Err(obstacle) => return (Reply::Obstacle(obstacle), Vec::new()),
        };
        let mut texts = found.map(|data| match data {
            RData::TXT(txt) => Some(joined(txt.txt_data.iter().map(AsRef::as_ref))),
            _ => None,
        });
        texts.sort();
        texts.truncate(MOST_TEXTS);
        (Reply::Txt(texts), found.cnames)
    }

    /// The reply for a host's addresses.
    pub(super) async fn host(&self, name: &str) -> Told {
        match self.addresses(name).await {
            Ok(host) => (Reply::Addresses(host.addresses), host.cnames),
            Err(obstacle) => (Reply::Obstacle(obstacle), Vec::new()),
        }
    }

    /// A and AAAA at once. One family is enough; where neither has an address, a failure outweighs "none".
    pub(super) async fn addresses(&self, name: &str) -> Result<Host, Obstacle> {
        match tokio::join!(self.records(name, RecordType::A), self.records(name, RecordType::AAAA)) {
            (Ok(four), Ok(six)) => {
                let mut host = Host::from(four);
                host.addresses.extend(Host::from(six).addresses);
                Ok(host)
            }
            (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found.into()),
            (Err(four), Err(six)) => Err(graver(four, six)),
        }
    }
}

impl Records {
    pub(super) fn map<T>(&self, read: impl Fn(&RData) -> Option<T>) -> Vec<T> {
        self.records.iter().filter_map(|record| read(&record.data)).collect()
    }
}

impl From<Records> for Host {
    fn from(found: Records) -> Self {
        let addresses = found.map(|data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        Self { addresses, cnames: found.cnames }
    }
}

fn joined<'a>(strings: impl Iterator<Item = &'a [u8]>) -> String {
    let bytes: Vec<u8> = strings.flatten().copied().take(LONGEST_TEXT).collect();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    text
}

fn graver(four: Obstacle, six: Obstacle) -> Obstacle {
    let rank = |obstacle: &Obstacle| match (obstacle.outcome(), obstacle) {
        (AnswerOutcome::Failed, _) => 2,
        (_, Obstacle::NxDomain) => 1,
        _ => 0,
    };
    if rank(&six) > rank(&four) { six } else { four }
}

/// A name with more is nobody's to read.
const MOST_TEXTS: usize = 64;
/// Bytes.
const LONGEST_TEXT: usize = 4096;
