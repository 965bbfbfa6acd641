//! The dead-man switch: somebody outside hears of each run, and misses those that are not made. Best effort: what cannot be told is
//! logged, as the one who waits for it notices by itself.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::plant::Plant;
use crate::network::{Outbound, OutboundReply, OutboundRequest, Verb};

/// What is told of a run over whole lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// It begins.
    Start,
    /// It has come to its end.
    Success,
    /// It has not.
    Failure,
}

/// Tells one after the other, until nobody hands in any more (`quiet`) and nothing waits; once the service is to stop, in a hurry.
pub(super) async fn tell_all(
    mut beats: mpsc::Receiver<Beat>,
    plant: watch::Receiver<Arc<Plant>>,
    (stop, quiet): (CancellationToken, CancellationToken),
) {
    loop {
        let beat = tokio::select! {
            biased;
            beat = beats.recv() => beat,
            () = quiet.cancelled() => None,
        };
        let Some(beat) = beat else { return };
        let plant = plant.borrow().clone();
        let Some(url) = &plant.heartbeat else { continue };
        let hurry = async {
            stop.cancelled().await;
            tokio::time::sleep(HURRY).await;
        };
        tokio::select! {
            () = tell(&plant.outbound, (url, beat), &PAUSES) => {}
            () = hurry => tracing::warn!(?beat, "the dead-man switch could not be told before the service ended"),
        }
    }
}

/// Tries as often as there are pauses; each is made before an attempt.
async fn tell(outbound: &Outbound, (url, beat): (&SecretString, Beat), pauses: &[Duration]) {
    let url = SecretString::from(address(url.expose_secret(), beat));
    let mut problem = String::new();
    for pause in pauses {
        tokio::time::sleep(*pause).await;
        let request = OutboundRequest { verb: Verb::Get, url: &url, headers: Vec::new(), body: Vec::new() };
        problem = match outbound.send(request).await {
            Ok(OutboundReply::Answered { status: 200..=299, .. }) => return,
            Ok(OutboundReply::Answered { status, .. }) => format!("it answers {status}"),
            Ok(OutboundReply::Failed { obstacle, .. }) => obstacle.to_string(),
            Err(error) => {
                problem = error.to_string();
                break;
            }
        };
    }
    tracing::warn!(?beat, problem, "the dead-man switch could not be told");
}

/// The URL with the ending of a beat; what follows a `?` stays behind it.
fn address(url: &str, beat: Beat) -> String {
    let ending = match beat {
        Beat::Start => "/start",
        Beat::Success => "",
        Beat::Failure => "/fail",
    };
    let (path, query) = url.trim().split_once('?').map_or((url.trim(), String::new()), |(path, query)| (path, format!("?{query}")));
    format!("{}{ending}{query}", path.trim_end_matches('/'))
}

/// For a beat once the service is to stop.
const HURRY: Duration = Duration::from_secs(2);
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)];

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{clock::Clock, network::OutboundSettings};

    #[tokio::test]
    async fn a_switch_that_fails_is_told_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = SecretString::from(format!("http://{}/ping/x", listener.local_addr().unwrap()));
        let outbound =
            Outbound::new(&OutboundSettings { proxy: Some("none".into()), ..OutboundSettings::default() }, Clock::system()).unwrap();
        let switch = async {
            let mut asked = Vec::new();
            for status in ["503 Busy", "200 OK", "200 OK"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = [0; 1024];
                let length = stream.read(&mut bytes).await.unwrap();
                asked.push(String::from_utf8_lossy(&bytes[..length]).lines().next().unwrap_or_default().to_owned());
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        };
        let told = async {
            tell(&outbound, (&url, Beat::Failure), &[Duration::ZERO; 3]).await;
            tell(&outbound, (&url, Beat::Success), &[Duration::ZERO; 3]).await;
        };
        let (asked, ()) = tokio::join!(switch, told);
        assert_eq!(asked, ["GET /ping/x/fail HTTP/1.1", "GET /ping/x/fail HTTP/1.1", "GET /ping/x HTTP/1.1"]);
    }

    #[test]
    fn the_ending_goes_before_the_query() {
        for (url, beat, expected) in [
            ("https://hc.example/ping/x", Beat::Start, "https://hc.example/ping/x/start"),
            ("https://hc.example/ping/x/\n", Beat::Failure, "https://hc.example/ping/x/fail"),
            ("https://hc.example/ping/x?rid=1", Beat::Failure, "https://hc.example/ping/x/fail?rid=1"),
            ("https://hc.example/ping/x", Beat::Success, "https://hc.example/ping/x"),
        ] {
            assert_eq!(address(url, beat), expected);
        }
    }
}
