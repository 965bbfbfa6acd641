//! A recursive DNS server with a zone of its own, over UDP and TCP.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, MX, NS, SOA, SRV},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

/// What the server says about a name and type.
#[derive(Clone)]
pub(super) enum Say {
    Records(Vec<RData>),
    Code(ResponseCode),
    /// Records over TCP, TC over UDP.
    OnlyTcp(Vec<RData>),
    /// A datagram with the right id that is no message.
    Garbage,
    Silence,
}

/// Names (without the final dot) and types; a name without any entry does not exist, or is said to be `anything`.
#[derive(Clone, Default)]
pub(super) struct Zone {
    says: HashMap<(String, RecordType), Say>,
    anything: Option<Say>,
}

impl Zone {
    pub(super) fn say(mut self, name: &str, kind: RecordType, say: Say) -> Self {
        self.says.insert((name.to_owned(), kind), say);
        self
    }

    pub(super) fn records(self, name: &str, records: Vec<RData>) -> Self {
        let kind = records.first().unwrap().record_type();
        self.say(name, kind, Say::Records(records))
    }

    pub(super) fn address(self, name: &str, address: &str) -> Self {
        self.records(name, vec![ip(address)])
    }

    pub(super) fn anything(mut self, say: Say) -> Self {
        self.anything = Some(say);
        self
    }

    fn find(&self, name: &str, kind: RecordType) -> Option<Say> {
        self.says.get(&(name.to_owned(), kind)).cloned()
    }

    fn exists(&self, name: &str) -> bool {
        self.says.keys().any(|(known, _)| known == name)
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap()
}

pub(super) fn ip(text: &str) -> RData {
    match text.parse().unwrap() {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

pub(super) fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

pub(super) fn ns(host: &str) -> RData {
    RData::NS(NS(name(host)))
}

pub(super) fn mx(preference: u16, exchange: &str) -> RData {
    RData::MX(MX::new(preference, name(exchange)))
}

pub(super) fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, weight, port, name(target)))
}

/// One question that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) kind: RecordType,
    pub(super) is_tcp: bool,
}

pub(super) struct DnsServer {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: JoinSet<()>,
}

impl DnsServer {
    pub(super) async fn start(zone: Zone) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let (address, asked) = (udp.local_addr().unwrap(), Arc::default());
        let (over_udp, over_tcp) = ((zone.clone(), Arc::clone(&asked)), (zone, Arc::clone(&asked)));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
                if let Some(answer) = answer(&over_udp.0, &over_udp.1, &buffer[..length], false) {
                    udp.send_to(&answer, peer).await.unwrap();
                }
            }
        });
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = tcp.accept().await {
                connections.spawn(serve(stream, over_tcp.clone()));
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn asked_about(&self, name: &str) -> usize {
        self.asked().iter().filter(|asked| asked.name == name).count()
    }
}

async fn serve(mut stream: TcpStream, (zone, asked): (Zone, Arc<Mutex<Vec<Asked>>>)) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        if let Some(answer) = answer(&zone, &asked, &query, true) {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    }
}

fn answer(zone: &Zone, asked: &Mutex<Vec<Asked>>, query: &[u8], is_tcp: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).unwrap();
    let question = query.queries.first().unwrap().clone();
    let (mut owner, kind) = (question.name().to_ascii().to_lowercase().trim_end_matches('.').to_owned(), question.query_type());
    asked.lock().unwrap().push(Asked { name: owner.clone(), kind, is_tcp });
    let mut message = Message::response(query.metadata.id, OpCode::Query);
    message.add_query(question);
    // Follows CNAMEs, as a recursive server does; a circle ends after some steps, without SOA.
    for _ in 0..6 {
        let alias = (kind != RecordType::CNAME).then(|| zone.find(&owner, RecordType::CNAME)).flatten();
        let say = match (zone.find(&owner, kind), alias) {
            (Some(say), _) => Some(say),
            (None, Some(Say::Records(records))) => {
                let target = records.first().unwrap().clone();
                message.add_answer(Record::from_rdata(name(&owner), 60, target.clone()));
                let RData::CNAME(target) = target else { panic!("no CNAME") };
                owner = target.0.to_ascii().trim_end_matches('.').to_owned();
                continue;
            }
            (None, _) if zone.exists(&owner) => None,
            (None, _) => Some(zone.anything.clone().unwrap_or(Say::Code(ResponseCode::NXDomain))),
        };
        match say {
            Some(Say::Silence) => return None,
            Some(Say::Garbage) => return Some([&query.metadata.id.to_be_bytes()[..], &[0x84, 0, 0, 9, 0, 9]].concat()),
            Some(Say::OnlyTcp(_)) if !is_tcp => message.metadata.truncation = true,
            Some(Say::Records(records) | Say::OnlyTcp(records)) => {
                let records = records.into_iter().filter(|record| record.record_type() == kind);
                message.add_answers(records.map(|record| Record::from_rdata(name(&owner), 60, record)));
                if message.answers.is_empty() {
                    message.add_authority(soa());
                }
            }
            Some(Say::Code(code)) => {
                message.metadata.response_code = code;
                if code == ResponseCode::NXDomain {
                    message.add_authority(soa());
                }
            }
            None => drop(message.add_authority(soa())),
        }
        break;
    }
    Some(message.to_vec().unwrap())
}

fn soa() -> Record {
    let root = name("a.root-servers.example");
    Record::from_rdata(Name::root(), 60, RData::SOA(SOA::new(root.clone(), root, 1, 60, 60, 60, 60)))
}
