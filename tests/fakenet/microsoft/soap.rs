//! `GetUserSettings` of Autodiscover's SOAP interface (`microsoft.md` section 2): an answer an address, in order, without its name.

use std::fmt::Write as _;

use super::Directory;
use crate::fakenet::{
    seen::{Log, Seen},
    site::{Act, Answer},
};

/// What is said of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// In Exchange Online.
    Online,
    /// On the organisation's own server, of that name.
    OnPremises(String),
    /// Another address is to be asked about.
    RedirectAddress(String),
    /// The same is to be asked elsewhere.
    RedirectUrl(String),
    /// Not a mailbox here.
    Invalid,
}

/// How the interface treats batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// More addresses in one request are refused.
    pub most: usize,
    /// No more of them are answered: the list is short.
    pub answered: usize,
    /// So many requests are answered "busy" first.
    pub busy: usize,
    /// Whether it takes no token for one.
    pub refuses: bool,
}

impl Default for Batches {
    fn default() -> Self {
        Self { most: 90, answered: usize::MAX, busy: 0, refuses: false }
    }
}

pub(super) fn answer(directory: &Directory, seen: &Seen, log: &Log) -> Act {
    let signed_in = seen.authorization.as_deref().is_some_and(|authorization| authorization.starts_with("Bearer "));
    let Batches { most, answered, busy, refuses } = directory.batches;
    if !signed_in || refuses {
        return Act::guarded(&["Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"*\""]);
    }
    if seen.method != "POST" {
        return Act::status(400);
    }
    let addresses: Vec<String> = mailboxes(&seen.body).collect();
    if log.count(seen, "") < busy {
        return envelope("ServerBusy", None);
    }
    if addresses.len() > most {
        return envelope("InvalidRequest", None);
    }
    let users: String = addresses.iter().take(answered).map(|address| user(&directory.tenancy(address).user, address)).collect();
    envelope("NoError", Some(&users))
}

/// The addresses of a request.
fn mailboxes(body: &str) -> impl Iterator<Item = String> {
    body.split("Mailbox>").skip(1).step_by(2).filter_map(|text| Some(text.split('<').next()?.trim().replace("&amp;", "&")))
}

fn user(user: &User, address: &str) -> String {
    let (code, redirect, settings) = match user {
        User::Online => ("NoError", None, settings(address, ("True", "outlook.office365.com", "smtp.office365.com"))),
        User::OnPremises(host) => ("NoError", None, settings(address, ("False", host, host))),
        User::RedirectAddress(to) => ("RedirectAddress", Some(to), String::new()),
        User::RedirectUrl(to) => ("RedirectUrl", Some(to), String::new()),
        User::Invalid => ("InvalidUser", None, String::new()),
    };
    let redirect =
        redirect.map_or_else(|| "<RedirectTarget i:nil=\"true\"/>".to_owned(), |to| format!("<RedirectTarget>{to}</RedirectTarget>"));
    format!(
        "<UserResponse><ErrorCode>{code}</ErrorCode><ErrorMessage>{code}.</ErrorMessage>{redirect}<UserSettingErrors/>\
         <UserSettings>{settings}</UserSettings></UserResponse>\n"
    )
}

fn settings(address: &str, (online, incoming, outgoing): (&str, &str, &str)) -> String {
    let mut text = String::new();
    let address = address.replace('&', "&amp;");
    for (name, value) in [("AutoDiscoverSMTPAddress", &*address), ("UserMSOnline", online)] {
        let _ = write!(text, "<UserSetting i:type=\"StringSetting\"><Name>{name}</Name><Value>{value}</Value></UserSetting>");
    }
    for (name, host, port, method) in
        [("ExternalImap4Connections", incoming, 993, "SSL"), ("ExternalSmtpConnections", outgoing, 587, "TLS")]
    {
        let _ = write!(
            text,
            "<UserSetting i:type=\"ProtocolConnectionCollectionSetting\"><Name>{name}</Name><ProtocolConnections><ProtocolConnection>\
             <Hostname>{host}</Hostname><Port>{port}</Port><EncryptionMethod>{method}</EncryptionMethod></ProtocolConnection>\
             </ProtocolConnections></UserSetting>"
        );
    }
    text
}

fn envelope(code: &str, users: Option<&str>) -> Act {
    let users =
        users.map_or_else(|| "<UserResponses i:nil=\"true\"/>".to_owned(), |users| format!("<UserResponses>{users}</UserResponses>"));
    Act::Answer(Answer::xml(format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
  <h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover"><h:Version>Exchange2015</h:Version></h:ServerVersionInfo>
</s:Header><s:Body>
  <GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover">
    <Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ErrorCode>{code}</ErrorCode><ErrorMessage/>
{users}    </Response>
  </GetUserSettingsResponseMessage>
</s:Body></s:Envelope>
"#
    )))
}
