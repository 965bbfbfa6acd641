//! The commands by which a person repeats what decided: `dig` and `curl`, as a shell takes them, whatever stands in them.

use url::Url;

use super::{Tale, route::Route};
use crate::{
    model::{Address, AnswerOutcome, Cause, LookupKind, Message, Readings, Reply, Request, Security, Subject, Way, is_hidden},
    wire::{
        AUTODETECT_ADDRESS_HEADER, USER_SETTINGS_ACTION, credential_type_request, mobilesync_request, pox_request, user_settings_request,
    },
};

/// A command for each lookup that decided, in the client's order, and for each redirect on its way; what is assumed cannot be asked.
pub(super) fn commands(tale: &Tale<'_>, route: &Route<'_>) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for request in decisive(tale, route).into_iter().flat_map(|request| sent(request, tale.readings)) {
        let is_assumed = tale.overlay.answer(&request).is_some();
        if let Some(command) = command(&request, tale.readings).filter(|command| !is_assumed && !commands.contains(command)) {
            commands.push(command);
        }
    }
    commands
}

fn decisive<'a>(tale: &Tale<'a>, route: &Route<'a>) -> Vec<&'a Request> {
    let discovery = tale.discovery;
    let troubles = || discovery.doubts.iter().chain(&discovery.faults).map(|trouble| &trouble.lookup.request);
    let led = |request: &&Request| {
        let outcome = tale.readings.get(request).map(|reading| reading.outcome);
        matches!(outcome, Some(AnswerOutcome::Found | AnswerOutcome::Guarded)) && troubles().all(|trouble| trouble != *request)
    };
    let told = || route.lookups().map(|lookup| &lookup.request);
    let Some(win) = &discovery.win else {
        let any = troubles().next().is_some() || discovery.stopped_at.is_some();
        let tells = |request: &Request| troubles().any(|trouble| trouble == request) || discovery.stopped_at.as_ref() == Some(request);
        return told().filter(|request| !any || led(request) || tells(request)).collect();
    };
    let by_mx = matches!(win.way, Way::Mx { .. } | Way::BuiltIn { mx: Some(_), .. });
    let mut requests: Vec<&Request> = discovery.doubts.iter().map(|doubt| &doubt.lookup.request).collect();
    requests.extend(told().filter(led).filter(|request| by_mx || !matches!(request, Request::Mx { .. })));
    requests.extend(win.requests.iter().chain(win.beside.iter().flat_map(|beside| &beside.requests)));
    if tale.outcome.fragile {
        requests.extend(tale.next.and_then(|next| next.win.as_ref()).into_iter().flat_map(|win| &win.requests));
    }
    if tale.outcome.cause == Some(Cause::WildcardHost) {
        requests.extend(tale.lookups.iter().filter(|lookup| lookup.kind == LookupKind::Wildcard).map(|lookup| &lookup.request));
    }
    requests
}

/// A request as it went from host to host: a shell that followed the redirects would tell the mailbox to strangers.
fn sent(request: &Request, readings: &Readings) -> Vec<Request> {
    let hops = readings.get(request).map(|reading| reading.answer.hops.as_slice()).unwrap_or_default();
    let onward = hops.iter().skip(1).map(|hop| hop.url.clone());
    let onward: Vec<Request> = match request {
        Request::Get { .. } => onward.map(|url| Request::Get { url, address: None }).collect(),
        Request::Pox { address, .. } => onward.filter_map(|url| pox_at(url, address)).collect(),
        _ => Vec::new(),
    };
    std::iter::once(request.clone()).chain(onward).collect()
}

/// The network writes the request anew for each host.
fn pox_at(url: String, address: &Address) -> Option<Request> {
    let host = Url::parse(&url).ok()?.host_str()?.to_owned();
    let address = Subject { address: address.clone() }.address_for_autodiscover(&host);
    Some(Request::Pox { url, address })
}

/// `None` where there is none: nothing is asked, or it cannot be written so that it shows what it does.
fn command(request: &Request, readings: &Readings) -> Option<String> {
    let reading = readings.get(request);
    // what is there in short, what is not with the server's word on it
    let dig = |kind: &str, name: &str| {
        let found = reading.is_some_and(|reading| !matches!(reading.answer.reply, Reply::Obstacle(_)));
        Some(format!("dig {}{kind} {}", if found { "+short " } else { "" }, quoted(name)))
    };
    let command = match request {
        Request::Mx { domain } => dig("MX", domain.as_str()),
        Request::Srv { name } => dig("SRV", name),
        Request::Txt { name } => dig("TXT", name),
        Request::Addresses { name } => dig("A", name),
        Request::Get { url, .. } | Request::Redirect { url } => Some(format!("curl -i {}", address_of(url)?)),
        Request::Pox { url, address } => post("-i", url, (XML, &pox_request(address))),
        Request::Http { url, message } => http(url, message),
        Request::Greeting { host, port, security } => Some(greeting(host, *port, *security)),
        Request::BuiltIn { .. } => None,
    };
    command.filter(|command| !command.contains(is_hidden))
}

fn http(url: &str, message: &Message) -> Option<String> {
    match message {
        Message::Get { .. } => Some(format!("curl -i {}", address_of(url)?)),
        Message::Detect { address } => {
            Some(format!("curl -i -H {} {}", quoted(&format!("{AUTODETECT_ADDRESS_HEADER}: {address}")), address_of(url)?))
        }
        Message::Mobilesync { address } => post("-i", url, (XML, &mobilesync_request(address))),
        Message::CredentialType { address } => post("-i", url, (JSON, &credential_type_request(address))),
        Message::UserSettings { addresses } => user_settings(url, addresses),
    }
}

/// The token stays with whoever has it.
fn user_settings(url: &str, addresses: &[Address]) -> Option<String> {
    let headers = format!("-i -H \"Authorization: Bearer $TOKEN\" -H {}", quoted(&format!("SOAPAction: \"{USER_SETTINGS_ACTION}\"")));
    post(&headers, url, (XML, &user_settings_request(url, addresses)))
}

fn post(options: &str, url: &str, (content_type, body): (&str, &str)) -> Option<String> {
    let body: String = body.lines().map(str::trim).collect();
    let header = quoted(&format!("Content-Type: {content_type}"));
    Some(format!("curl {options} -X POST -H {header} --data {} {}", quoted(&body), address_of(url)?))
}

fn greeting(host: &str, port: u16, security: Security) -> String {
    let place = quoted(&format!("{host}:{port}"));
    let protocol = match port {
        143 | 993 => "imap",
        110 | 995 => "pop3",
        _ => "smtp",
    };
    match security {
        Security::Tls => format!("openssl s_client -quiet -connect {place} -servername {}", quoted(host)),
        Security::StartTls => format!("openssl s_client -quiet -starttls {protocol} -connect {place} -servername {}", quoted(host)),
        Security::Plain => format!("nc {} {port}", quoted(host)),
    }
}

/// A URL as it is sent: other characters than ASCII are encoded, and what a host wrote cannot end the word, nor be a pattern of curl's.
fn address_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let literally = if url.as_str().contains(['[', ']', '{', '}']) { "-g " } else { "" };
    Some(format!("{literally}{}", quote(url.as_str())))
}

/// A word of the shell (POSIX.1-2024, 2.2.2); quotes only where it needs them.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) { text.to_owned() } else { quote(text) }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

const XML: &str = "text/xml; charset=utf-8";
const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Document, Hop, Obstacle, Reading};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn get(url: &str) -> Request {
        Request::Get { url: url.to_owned(), address: None }
    }

    fn told(request: &Request) -> Option<String> {
        command(request, &Readings::default())
    }

    #[test]
    fn every_request_that_is_sent_can_be_repeated_in_a_shell() {
        let url = "https://a.example/x?y=1".to_owned();
        let anna = || address("anna@contoso.com");
        let http = |message| Request::Http { url: url.clone(), message };
        let greeting = |port, security| Request::Greeting { host: "mail.contoso.com".to_owned(), port, security };
        for (request, expected) in [
            (Request::Mx { domain: "contoso.com".parse().unwrap() }, "dig MX contoso.com"),
            (Request::Srv { name: "_imaps._tcp.contoso.com".to_owned() }, "dig SRV _imaps._tcp.contoso.com"),
            (Request::Txt { name: "_ua-auto-config.contoso.com".to_owned() }, "dig TXT _ua-auto-config.contoso.com"),
            (Request::Addresses { name: "contoso.com".to_owned() }, "dig A contoso.com"),
            (get(&url), "curl -i 'https://a.example/x?y=1'"),
            (Request::Redirect { url: "http://a.example/".to_owned() }, "curl -i 'http://a.example/'"),
            (http(Message::Get { address: Some(anna()) }), "curl -i 'https://a.example/x?y=1'"),
            (http(Message::Detect { address: anna() }), "curl -i -H 'X-Email: anna@contoso.com' 'https://a.example/x?y=1'"),
            (greeting(993, Security::Tls), "openssl s_client -quiet -connect mail.contoso.com:993 -servername mail.contoso.com"),
            (
                greeting(143, Security::StartTls),
                "openssl s_client -quiet -starttls imap -connect mail.contoso.com:143 -servername mail.contoso.com",
            ),
            (greeting(25, Security::Plain), "nc mail.contoso.com 25"),
        ] {
            assert_eq!(told(&request).as_deref(), Some(expected));
        }
        for (request, part) in [
            (Request::Pox { url: url.clone(), address: anna() }, "<EMailAddress>anna@contoso.com</EMailAddress>"),
            (http(Message::Mobilesync { address: anna() }), "/mobilesync/requestschema/2006"),
            (http(Message::CredentialType { address: anna() }), r#"{"username":"anna@contoso.com""#),
            (http(Message::UserSettings { addresses: vec![anna()] }), "-H \"Authorization: Bearer $TOKEN\" -H 'SOAPAction: \""),
        ] {
            let command = told(&request).unwrap();
            assert!(command.starts_with("curl -i ") && command.contains("-X POST -H 'Content-Type: "), "{command}");
            assert!(command.contains(part) && command.ends_with(" 'https://a.example/x?y=1'") && !command.contains('\n'), "{command}");
        }
        assert_eq!(told(&Request::BuiltIn { row: "MSN".to_owned() }), None, "nothing is asked");
    }

    #[test]
    fn what_others_wrote_stays_one_word() {
        for (request, expected) in [
            (get("https://a.example/'; touch /tmp/x; '"), r"curl -i 'https://a.example/'\'';%20touch%20/tmp/x;%20'\'''"),
            (get("https://a.example/$(id)`id`\n&\\"), "curl -i 'https://a.example/$(id)%60id%60&/'"),
            (get("https://a.example/[1-9]{a,b}"), "curl -i -g 'https://a.example/[1-9]%7Ba,b%7D'"),
            (get("https://m\u{fc}nchen.example/\u{202e}"), "curl -i 'https://xn--mnchen-3ya.example/%E2%80%AE'"),
            (Request::Srv { name: "-x;id".to_owned() }, "dig SRV '-x;id'"),
        ] {
            assert_eq!(told(&request).as_deref(), Some(expected));
        }
        for request in [
            get("file:///etc/passwd"),
            get("--upload-file"),
            Request::Pox { url: "https://a.example/".to_owned(), address: address("\"\u{202e}\"@contoso.com") },
            Request::Srv { name: "a\u{1b}[2J".to_owned() },
        ] {
            assert_eq!(told(&request), None, "{request:?}");
        }
        let quotes = Request::Pox { url: "https://a.example/".to_owned(), address: address("o'brien@contoso.com") };
        assert!(told(&quotes).unwrap().contains("<EMailAddress>o&apos;brien@contoso.com</EMailAddress>"), "no quote ends the body");
    }

    #[test]
    fn a_redirect_is_a_command_of_its_own_that_tells_strangers_no_mailbox() {
        let hop = |url: &str| Hop { url: url.to_owned(), status: Some(302), location: None };
        let asked = |request: Request, hops: &[&str]| {
            let mut readings = Readings::default();
            let hops = hops.iter().map(|url| hop(url)).collect();
            let answer = Answer { reply: Reply::Obstacle(Obstacle::Timeout), hops, cnames: Vec::new(), attempts: 1, took_ms: 1 };
            let reading =
                Reading { answer: answer.into(), outcome: AnswerOutcome::Failed, detail: String::new(), document: Document::Nothing };
            readings.insert(request.clone(), reading);
            sent(&request, &readings).iter().filter_map(|request| command(request, &readings)).collect::<Vec<_>>()
        };
        let first = "https://autoconfig.contoso.com/?emailaddress=anna%40contoso.com";
        let commands = asked(get(first), &[first, "https://b.example/?user=postmaster%40contoso.com"]);
        assert_eq!(commands, [format!("curl -i '{first}'"), "curl -i 'https://b.example/?user=postmaster%40contoso.com'".to_owned()]);
        let first = "https://autodiscover.contoso.com/x";
        let pox = Request::Pox { url: first.to_owned(), address: address("anna@contoso.com") };
        let commands = asked(pox, &[first, "https://b.example/x", "https://outlook.office365.com/x"]);
        let told: Vec<bool> = commands.iter().map(|command| command.contains("<EMailAddress>anna@contoso.com<")).collect();
        assert_eq!(told, [true, false, true], "{commands:?}");
    }
}
