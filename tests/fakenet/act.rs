//! Doing what a site says.

use std::{borrow::Cow, io, io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use tokio::io::{AsyncWriteExt, BufReader};

use super::{
    http::Wire,
    net::Net,
    seen::{Log, Seen},
    site::{Act, Answer},
};
use autodiscover_audit::clock::Clock;

/// Decides what depends on the request, until something plain is left.
pub fn resolve(mut act: Act, seen: &Seen, (net, log): (&Net, &Log)) -> Act {
    let mut count = None;
    loop {
        act = match act {
            Act::ByAddress { known, otherwise } => {
                let address = seen.address().unwrap_or_default();
                let found = known.into_iter().find(|(for_address, _)| *for_address == address);
                found.map_or(*otherwise, |(_, act)| act)
            }
            Act::Database(before) => {
                let entry = seen.path.strip_prefix(before).and_then(|key| net.database.get(key));
                entry.cloned().unwrap_or_else(|| Act::status(404))
            }
            Act::Microsoft(service) => net.microsoft.answer(service, seen, log),
            Act::BySchema { mobilesync, otherwise } => {
                if seen.body.contains("/autodiscover/mobilesync/requestschema/") {
                    *mobilesync
                } else {
                    *otherwise
                }
            }
            Act::Filled(answer) => {
                let body = answer.body.replace("{address}", &seen.address().unwrap_or_default());
                Act::Answer(Answer { body: body.into(), ..answer })
            }
            Act::Flaky { times, first, then } => {
                let before = *count.get_or_insert_with(|| log.count(seen, ""));
                if before < times { *first } else { *then }
            }
            Act::Chain { hops, then } => {
                let done = seen.query.rsplit_once("hop=").and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
                if done < hops { Act::redirect(302, format!("{}?hop={}", seen.path, done + 1)) } else { *then }
            }
            Act::Circle => Act::redirect(302, seen.url()),
            Act::Busy { status, seconds } => Act::Answer(Answer::new(status).header("Retry-After", seconds.to_string())),
            Act::BusyUntil { status, seconds } => Act::Answer(Answer::new(status).header("Retry-After", http_date(seconds))),
            plain => return plain,
        };
    }
}

/// Does it. `true` where the connection can take another request.
pub async fn perform<S: Wire>(act: Act, seen: &Seen, stream: &mut BufReader<S>) -> io::Result<bool> {
    match act {
        Act::Answer(answer) => write_answer(&answer, answer.body.as_bytes(), seen, stream).await,
        Act::Gzip(answer) => {
            let body = compress(answer.body.as_bytes())?;
            write_answer(&answer.header("Content-Encoding", "gzip"), &body, seen, stream).await
        }
        Act::BrokenGzip => {
            let answer = Answer::xml("").header("Content-Encoding", "gzip");
            write_answer(&answer, b"this was never compressed", seen, stream).await
        }
        Act::GzipBomb(size) => {
            let body = compress(&vec![b' '; size])?;
            write_answer(&Answer::xml("").header("Content-Encoding", "gzip"), &body, seen, stream).await
        }
        Act::Large(size) => write_answer(&Answer::xml(""), &vec![b' '; size], seen, stream).await,
        Act::Truncated(answer) => {
            let body = answer.body.as_bytes();
            stream.write_all(head(&answer, body.len()).as_bytes()).await?;
            stream.write_all(&body[..body.len() / 2]).await?;
            stream.flush().await?;
            stream.shutdown().await?;
            Ok(false)
        }
        Act::Trickle(answer) => {
            stream.write_all(head(&answer, answer.body.len()).as_bytes()).await?;
            for byte in answer.body.bytes() {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(true)
        }
        Act::NotHttp => {
            stream.write_all(b"220 mail.example ESMTP ready\r\n").await?;
            stream.flush().await?;
            stream.shutdown().await?;
            Ok(false)
        }
        Act::Reset => {
            stream.get_ref().tcp().set_zero_linger()?;
            Ok(false)
        }
        Act::Silent => std::future::pending().await,
        Act::ByAddress { .. }
        | Act::Database(_)
        | Act::Microsoft(_)
        | Act::BySchema { .. }
        | Act::Filled(_)
        | Act::Flaky { .. }
        | Act::Chain { .. }
        | Act::Circle
        | Act::Busy { .. }
        | Act::BusyUntil { .. } => unreachable!("resolved before"),
    }
}

async fn write_answer<S: Wire>(answer: &Answer, body: &[u8], seen: &Seen, stream: &mut BufReader<S>) -> io::Result<bool> {
    let mut bytes = head(answer, body.len()).into_bytes();
    if seen.method != "HEAD" {
        bytes.extend_from_slice(body);
    }
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(true)
}

fn head(answer: &Answer, length: usize) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if answer.status != 204 {
        head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
    }
    head.push_str("\r\n");
    head
}

fn reason(status: u16) -> Cow<'static, str> {
    match status {
        200 => "OK".into(),
        202 => "Accepted".into(),
        204 => "No Content".into(),
        302 => "Found".into(),
        401 => "Unauthorized".into(),
        404 => "Not Found".into(),
        _ => "Status".into(),
    }
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// An HTTP date (RFC 9110 section 5.6.7), so many seconds from now.
fn http_date(seconds: i64) -> String {
    let then = jiff::Timestamp::from_second(Clock::system().seconds() + seconds).unwrap();
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap()
}
