//! Autodiscover v2 as clients follow it.

use crate::model::{Address, AutodiscoverV2, Document, Lookup, LookupKind, Message, Readings, Request, V2Protocol};

/// A chain of answers.
#[derive(Debug, Clone, Default)]
pub struct V2State {
    /// What has to be asked.
    pub missing: Vec<Lookup>,
    /// What was asked.
    pub chain: Vec<Lookup>,
}

/// Follows it.
#[must_use]
pub fn settle_v2(readings: &Readings, address: &Address, protocol: V2Protocol) -> V2State {
    let mut url = format!(
        "https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/{}?Protocol={}",
        address.percent_encoded(),
        protocol.as_str()
    );
    let mut state = V2State::default();
    for _ in 0..6 {
        let request = Request::Http { url: url.clone(), message: Message::Get { address: Some(address.clone()) } };
        let asked = url.replace(&address.percent_encoded(), crate::model::EMAIL_ADDRESS_IN_URL);
        let lookup = Lookup { kind: LookupKind::AutodiscoverV2, asked, request };
        let Some(reading) = readings.get(&lookup.request) else {
            state.missing.push(lookup);
            break;
        };
        state.chain.push(lookup);
        match &reading.document {
            Document::AutodiscoverV2(answer) => match &**answer {
                AutodiscoverV2::Redirect { url: target, host }
                    if crate::model::exchange_cloud(host).is_some()
                        || crate::model::registrable(host) == crate::model::registrable(address.domain().as_str()) =>
                {
                    url.clone_from(target);
                }
                _ => break,
            },
            _ => break,
        }
    }
    state
}
