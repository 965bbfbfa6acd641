//! The only DNS resolver: a stub (RFC 1034 section 5.3.1) that asks the servers of the settings or the system in turn. Names are
//! absolute; there is no hosts file and no search list. Failures are told apart by type. Knows nothing of what records mean.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use hickory_resolver::{
    Resolver as Stub, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    lookup::Lookup,
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, Record, RecordType},
    },
    system_conf::read_system_conf,
};
use tokio::{sync::Semaphore, time::timeout};
use tracing::trace;

use super::{Alias, NetworkError, Settings};
use crate::model::{Obstacle, normalise_host};

/// One stub per server, so that a server which is silent or refuses does not hide the others (a pool of the crate
/// believes the first that says anything, hickory-dns #3837).
pub(super) struct Resolver {
    servers: Vec<TokioResolver>,
    aliases: Vec<Alias>,
    preferred: AtomicUsize,
    permits: Semaphore,
    deadline: Duration,
    queries: AtomicU64,
}

/// The records of a name, and the CNAMEs that led to them.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    pub(super) cnames: Vec<String>,
}

impl Resolver {
    pub(super) fn new(settings: &Settings) -> Result<Self, NetworkError> {
        let configs = if settings.dns_servers.is_empty() {
            let (system, _) = read_system_conf().map_err(|source| NetworkError::SystemDns { source: Box::new(source) })?;
            system.into_parts().2
        } else {
            settings.dns_servers.iter().copied().map(server_config).collect()
        };
        let deadline = Duration::from_secs(settings.dns_timeout_seconds);
        let servers: Result<Vec<TokioResolver>, NetError> = configs.into_iter().map(|config| stub(config, deadline)).collect();
        Ok(Self {
            servers: servers.map_err(|source| NetworkError::SystemDns { source: Box::new(source) })?,
            aliases: settings.aliases.clone(),
            preferred: AtomicUsize::new(0),
            permits: Semaphore::new(settings.dns_concurrency),
            deadline,
            queries: AtomicU64::new(0),
        })
    }

    /// Lookups handed to a server's stub so far.
    pub(super) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Longest time that one lookup can take.
    pub(super) fn budget(&self) -> Duration {
        self.deadline.saturating_mul(u32::try_from(self.servers.len()).unwrap_or(u32::MAX))
    }

    /// The records of one type, CNAMEs followed, those that are assumed first; never empty.
    pub(super) async fn records(&self, name: &str, kind: RecordType) -> Result<Records, Obstacle> {
        let mut assumed: Vec<String> = Vec::new();
        while let Some(target) = self.alias_of(assumed.last().map_or(name, String::as_str)) {
            if assumed.contains(&target) {
                return Err(Obstacle::DnsBroken);
            }
            assumed.push(target);
        }
        let mut found = self.records_at(assumed.last().map_or(name, String::as_str), kind).await?;
        found.cnames.splice(..0, assumed);
        Ok(found)
    }

    fn alias_of(&self, name: &str) -> Option<String> {
        self.aliases.iter().find(|alias| alias.name == normalise_host(name)).map(|alias| alias.target.clone())
    }

    async fn records_at(&self, name: &str, kind: RecordType) -> Result<Records, Obstacle> {
        // What DNS cannot even ask (a label of 64 octets, an empty one) does not exist.
        let name = Name::from_ascii(format!("{}.", normalise_host(name))).map_err(|_| Obstacle::NxDomain)?;
        match self.ask(&name, kind).await {
            Ok(lookup) => Records::read(&name, kind, &lookup).ok_or(Obstacle::NoData),
            Err(error) if is_doubtful(&error, &name, kind) => self.look_again(name, kind, obstacle_of(&error)).await,
            Err(error) => Err(obstacle_of(&error)),
        }
    }

    /// Follows the CNAMEs one by one. The crate reports a circle as "no records", and takes the target of an SRV record
    /// behind a CNAME for a further CNAME, so that it ends at "no records" as well.
    async fn look_again(&self, name: Name, kind: RecordType, seen: Obstacle) -> Result<Records, Obstacle> {
        let mut chain = vec![name.clone()];
        let mut end = name;
        while let Some(next) = self.cname(&end).await? {
            if chain.contains(&next) || chain.len() > LONGEST_CHAIN {
                return Err(Obstacle::DnsBroken);
            }
            chain.push(next.clone());
            end = next;
        }
        if chain.len() == 1 {
            return Err(seen);
        }
        let lookup = self.ask(&end, kind).await.map_err(|error| obstacle_of(&error))?;
        let mut found = Records::read(&end, kind, &lookup).ok_or(Obstacle::NoData)?;
        found.cnames = chain.iter().skip(1).map(host_text).collect();
        Ok(found)
    }

    async fn cname(&self, name: &Name) -> Result<Option<Name>, Obstacle> {
        match self.ask(name, RecordType::CNAME).await {
            Ok(lookup) => Ok(cname_of(name, lookup.answers()).cloned()),
            Err(error) => match obstacle_of(&error) {
                Obstacle::NxDomain | Obstacle::NoData => Ok(None),
                failure => Err(failure),
            },
        }
    }

    /// Asks one server after the other until one knows, and goes on with that one where the others were no help.
    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Lookup, NetError> {
        let _permit = self.permits.acquire().await.ok();
        let start = self.preferred.load(Ordering::Relaxed);
        let (mut failure, mut is_down) = (NetError::NoConnections, false);
        for (index, server) in self.servers.iter().enumerate().cycle().skip(start).take(self.servers.len()) {
            self.queries.fetch_add(1, Ordering::Relaxed);
            let answer = timeout(self.deadline, server.lookup(name.clone(), kind)).await.unwrap_or(Err(NetError::Timeout));
            trace!(%name, %kind, server = index, answer = answer.as_ref().map_or_else(NetError::as_metrics_label, |_| "records"), "dns");
            let error = match answer {
                Err(error) if !is_definite(&error) => error,
                definite => {
                    if is_down {
                        self.preferred.store(index, Ordering::Relaxed);
                    }
                    return definite;
                }
            };
            is_down |= !matches!(error, NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)));
            if !matches!(failure, NetError::Dns(_)) {
                failure = error;
            }
        }
        Err(failure)
    }
}

impl Records {
    fn read(name: &Name, kind: RecordType, lookup: &Lookup) -> Option<Self> {
        let answers = lookup.answers();
        let records: Vec<Record> = answers.iter().filter(|record| record.record_type() == kind).cloned().collect();
        let mut cnames: Vec<Name> = Vec::new();
        while let Some(next) = cname_of(cnames.last().unwrap_or(name), answers) {
            if cnames.contains(next) {
                break;
            }
            cnames.push(next.clone());
        }
        (!records.is_empty()).then(|| Self { records, cnames: cnames.iter().map(host_text).collect() })
    }
}

fn cname_of<'a>(name: &Name, answers: &'a [Record]) -> Option<&'a Name> {
    answers.iter().filter(|record| record.name == *name).find_map(|record| match &record.data {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    })
}

/// A name as the model writes host names; the root is empty.
pub(super) fn host_text(name: &Name) -> String {
    normalise_host(&name.to_ascii())
}

fn server_config(address: SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    udp.port = address.port();
    tcp.port = address.port();
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}

fn stub(config: NameServerConfig, deadline: Duration) -> Result<TokioResolver, NetError> {
    let mut options = ResolverOpts::default();
    options.timeout = deadline;
    // Lost datagrams are sent again within the deadline; the lookup as a whole is asked a second time above.
    options.attempts = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.try_tcp_on_error = true;
    options.edns_payload_len = EDNS_PAYLOAD;
    options.max_active_requests = 1024;
    Stub::builder_with_config(ResolverConfig::from_name_servers(vec![config]), TokioRuntimeProvider::default())
        .with_options(options)
        .build()
}

/// Whether the server knows: records, or that there are none.
fn is_definite(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code: ResponseCode::NXDomain | ResponseCode::NoError, .. }))
    )
}

/// Whether "no records" may hide a circle of CNAMEs (no SOA, as real NODATA has: RFC 2308 section 2.2), or an SRV record
/// behind a CNAME (the crate asked about another name in the end).
fn is_doubtful(error: &NetError, name: &Name, kind: RecordType) -> bool {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return false };
    match kind {
        RecordType::SRV if none.query.name() != name => true,
        _ => none.response_code == ResponseCode::NoError && none.soa.is_none(),
    }
}

fn obstacle_of(error: &NetError) -> Obstacle {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => Obstacle::NxDomain,
            ResponseCode::NoError => Obstacle::NoData,
            code => obstacle_of_code(code),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => obstacle_of_code(*code),
        NetError::Timeout => Obstacle::DnsTimeout,
        _ => Obstacle::DnsBroken,
    }
}

fn obstacle_of_code(code: ResponseCode) -> Obstacle {
    let mnemonic = match code {
        ResponseCode::ServFail => return Obstacle::ServFail,
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::NotAuth => "NOTAUTH".to_owned(),
        other => format!("RCODE{}", u16::from(other)),
    };
    Obstacle::DnsCode { code: mnemonic }
}

/// RFC 1034 sets no limit; BIND and Unbound stop at 16 and 11.
const LONGEST_CHAIN: usize = 16;
/// Avoids fragments (DNS Flag Day 2020).
const EDNS_PAYLOAD: u16 = 1232;
