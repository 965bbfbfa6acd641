//! The DNS server: UDP and TCP on one port of loopback.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use hickory_resolver::proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, CNAME, MX, NS, SOA, SRV, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

use super::{
    Shared,
    zone::{Data, Trouble},
};

/// Binds one free port for both transports.
pub async fn bind() -> io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut last = io::Error::other("no port is free for UDP and TCP at once");
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        let address = udp.local_addr()?;
        match TcpListener::bind(address).await {
            Ok(tcp) => return Ok((udp, tcp, address)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Answers datagrams until it is dropped.
pub async fn serve_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = [0_u8; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(bytes) = answer(&shared, &buffer[..length], true) {
            let _ = socket.send_to(&bytes, peer).await;
        }
    }
}

/// Answers connections until it is dropped.
pub async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let _ = serve_connection(stream, &shared).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0_u8; usize::from(length)];
        stream.read_exact(&mut query).await?;
        if let Some(bytes) = answer(shared, &query, false) {
            stream.write_u16(u16::try_from(bytes.len()).map_err(io::Error::other)?).await?;
            stream.write_all(&bytes).await?;
        }
    }
}

/// The bytes of the answer; `None` where nothing is said.
fn answer(shared: &Shared, query: &[u8], udp: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?;
    shared.dns_requests.fetch_add(1, Ordering::Relaxed);
    let name = question.name().to_ascii();
    let found = shared.net.net().zones.answer(name.trim_end_matches('.'), question.query_type());
    let mut reply = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.add_query(question.clone());
    match found.trouble {
        Some(Trouble::Drop) => return None,
        Some(Trouble::ServFail) => reply.metadata.response_code = ResponseCode::ServFail,
        Some(Trouble::Refused) => reply.metadata.response_code = ResponseCode::Refused,
        Some(Trouble::Truncated) if udp => reply.metadata.truncation = true,
        _ => {
            reply.metadata.response_code = found.code;
            let has_data = found.records.iter().any(|(_, data)| data.kind() == question.query_type());
            let is_circle = is_circle(&found.records);
            for (owner, data) in found.records {
                reply.add_answer(Record::from_rdata(absolute(&owner), TTL, rdata(&data)));
            }
            if !has_data && !is_circle {
                reply.add_authority(start_of_authority(&absolute(&name)));
            }
        }
    }
    reply.to_vec().ok()
}

/// Whether a chain of CNAMEs ends at a name that it has passed; no server says then that there is no such record.
fn is_circle(records: &[(String, Data)]) -> bool {
    matches!(records.last(), Some((_, Data::Cname(target))) if records.iter().any(|(owner, _)| owner == target))
}

fn rdata(data: &Data) -> RData {
    match data {
        Data::A(address) => RData::A(A(*address)),
        Data::Cname(target) => RData::CNAME(CNAME(absolute(target))),
        Data::Ns(host) => RData::NS(NS(absolute(host))),
        Data::Mx { preference, exchange } => RData::MX(MX::new(*preference, absolute(exchange))),
        Data::Srv { priority, weight, port, target } => RData::SRV(SRV::new(*priority, *weight, *port, absolute(target))),
        Data::Txt(text) => RData::TXT(TXT::new(strings(text))),
    }
}

/// A text as the strings of a record, of 255 octets at most (RFC 1035 section 3.3.14).
fn strings(text: &str) -> Vec<String> {
    text.as_bytes().chunks(255).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// RFC 2308 section 3: a negative answer carries the zone's SOA; here the zone is the top level.
fn start_of_authority(name: &Name) -> Record {
    let zone = name.trim_to(1);
    let data = SOA::new(absolute("ns.fake"), absolute("hostmaster.fake"), 1, 60, 60, 60, 1);
    Record::from_rdata(zone, TTL, RData::SOA(data))
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap_or_else(|error| panic!("`{name}` is no name: {error}"));
    name.set_fqdn(true);
    name
}

const TTL: u32 = 60;
