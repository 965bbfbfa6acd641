//! Autodiscover's SOAP interface (MS-OXWSADISC section 3.1.4.7): the `GetUserSettings` request for a batch of addresses, and its
//! answer. An answer does not name the addresses: the n-th is the n-th address's, and a short list means "ask again".

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::{Fault, element::Element, fault::clip, xml::read_tree};
use crate::model::{
    Address, ProtocolConnection, SettingError, SettingValue, SoapAnswer, SoapCode, SoapFault, UserAnswer, UserSetting, UserSettings,
    WebClientUrl,
};

/// The `SOAPAction` header of the request, with its quotes.
pub const USER_SETTINGS_ACTION: &str = "\"http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings\"";

/// The settings that are asked for. Each costs the server work, so no more than are read.
pub const USER_SETTINGS: [&str; 9] = [
    "AutoDiscoverSMTPAddress",
    "UserMSOnline",
    "ExternalImap4Connections",
    "ExternalPop3Connections",
    "ExternalSmtpConnections",
    "InternalImap4Connections",
    "InternalPop3Connections",
    "InternalSmtpConnections",
    "ExternalEwsUrl",
];

/// The body of a request for a batch; to be sent to `url` as `text/xml; charset=utf-8`. At most 90 addresses (section 2.6 of
/// `microsoft.md`), all of one endpoint.
#[must_use]
pub fn user_settings_request(url: &str, addresses: &[Address]) -> String {
    let (mut users, mut settings) = (String::new(), String::new());
    for address in addresses {
        let _ = writeln!(users, "          <a:User><a:Mailbox>{}</a:Mailbox></a:User>", escape(address.to_string()));
    }
    for setting in USER_SETTINGS {
        let _ = writeln!(settings, "          <a:Setting>{setting}</a:Setting>");
    }
    let url = escape(url);
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover">
  <soap:Header>
    <a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion>
    <wsa:Action>http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings</wsa:Action>
    <wsa:To>{url}</wsa:To>
  </soap:Header>
  <soap:Body>
    <a:GetUserSettingsRequestMessage>
      <a:Request>
        <a:Users>
{users}        </a:Users>
        <a:RequestedSettings>
{settings}        </a:RequestedSettings>
      </a:Request>
    </a:GetUserSettingsRequestMessage>
  </soap:Body>
</soap:Envelope>
"#
    )
}

/// Reads the answer to a batch of `asked` addresses. SOAP faults come with HTTP 500: read those bodies too.
///
/// # Errors
/// The [`Fault`] that leaves no answer, and so for one that breaks midway. Error codes and SOAP faults are answers.
pub fn parse_user_settings(body: &[u8], content_type: &str, asked: usize) -> Result<SoapAnswer, Fault> {
    let tree = read_tree(body, content_type, "Envelope")?;
    if let Some(fault) = tree.broken {
        return Err(fault);
    }
    let content = tree.root.child("Body").ok_or(Fault::NoMessage { name: "Body" })?;
    if let Some(fault) = content.child("Fault") {
        return Ok(SoapAnswer::Fault(read_fault(fault)));
    }
    let message = content.child("GetUserSettingsResponseMessage").ok_or(Fault::NoMessage { name: "GetUserSettingsResponseMessage" })?;
    let response = message.child("Response").ok_or(Fault::NoMessage { name: "Response" })?;
    let mut users: Vec<Option<UserAnswer>> = within(response, "UserResponses", "UserResponse").map(read_user).map(Some).collect();
    if users.len() > asked {
        return Err(Fault::TooManyAnswers { asked, given: users.len() });
    }
    users.resize(asked, None);
    let version = tree.root.child("Header").and_then(|header| header.child("ServerVersionInfo"));
    Ok(SoapAnswer::Settings(UserSettings {
        server_version: version.and_then(|version| version.text_of("Version")),
        code: code(response),
        message: message_of(response),
        users,
    }))
}

/// The answer to a batch of one, with what was said about an address of a larger batch: each mailbox's share is kept by itself.
#[must_use]
pub fn user_settings_answer(user: &UserAnswer) -> String {
    let (mut errors, mut settings) = (String::new(), String::new());
    let element = |name: &str, text: Option<&str>| text.map(|text| format!("<{name}>{}</{name}>", escape(text))).unwrap_or_default();
    for SettingError { name, code } in &user.errors {
        let (code, name) = (element("ErrorCode", Some(code.as_str())), element("SettingName", Some(name)));
        let _ = write!(errors, "<UserSettingError>{code}{name}</UserSettingError>");
    }
    for UserSetting { name, value } in &user.settings {
        let value = match value {
            SettingValue::Text(text) => format!("<Value>{}</Value>", escape(text.as_deref().unwrap_or_default())),
            SettingValue::Connections(connections) => {
                let each = connections.iter().map(|one| {
                    let (host, port) = (element("Hostname", one.hostname.as_deref()), element("Port", one.port.as_deref()));
                    let encryption = element("EncryptionMethod", one.encryption.as_deref());
                    format!("<ProtocolConnection>{host}{port}{encryption}</ProtocolConnection>")
                });
                format!("<ProtocolConnections>{}</ProtocolConnections>", each.collect::<String>())
            }
            SettingValue::Urls(urls) => {
                let each = urls.iter().map(|one| {
                    let (methods, url) = (element("AuthenticationMethods", one.methods.as_deref()), element("Url", one.url.as_deref()));
                    format!("<WebClientUrl>{methods}{url}</WebClientUrl>")
                });
                format!("<WebClientUrls>{}</WebClientUrls>", each.collect::<String>())
            }
            SettingValue::Other => String::new(),
        };
        let _ = write!(settings, "<UserSetting>{}{value}</UserSetting>", element("Name", Some(name)));
    }
    let code = element("ErrorCode", Some(user.code.as_str()));
    let (message, redirect) = (element("ErrorMessage", Some(&user.message)), element("RedirectTarget", user.redirect.as_deref()));
    let user = format!(
        "<UserResponse>{code}{message}{redirect}<UserSettingErrors>{errors}</UserSettingErrors><UserSettings>{settings}</UserSettings></UserResponse>"
    );
    format!(
        r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><s:Body><GetUserSettingsResponseMessage><Response><ErrorCode>NoError</ErrorCode><UserResponses>{user}</UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"#
    )
}

fn read_user(user: &Element) -> UserAnswer {
    let error = |error: &Element| SettingError { name: error.text_of("SettingName").unwrap_or_default(), code: code(error) };
    UserAnswer {
        code: code(user),
        message: message_of(user),
        redirect: user.text_of("RedirectTarget"),
        errors: within(user, "UserSettingErrors", "UserSettingError").map(error).collect(),
        settings: within(user, "UserSettings", "UserSetting").filter_map(read_setting).collect(),
    }
}

/// By what is inside: the `xsi:type` that tells them apart is left out by some servers.
fn read_setting(setting: &Element) -> Option<UserSetting> {
    let connection = |connection: &Element| ProtocolConnection {
        hostname: connection.text_of("Hostname"),
        port: connection.text_of("Port"),
        encryption: connection.text_of("EncryptionMethod"),
    };
    let url = |url: &Element| WebClientUrl { methods: url.text_of("AuthenticationMethods"), url: url.text_of("Url") };
    let value = if setting.child("ProtocolConnections").is_some() {
        SettingValue::Connections(within(setting, "ProtocolConnections", "ProtocolConnection").map(connection).collect())
    } else if setting.child("WebClientUrls").is_some() {
        SettingValue::Urls(within(setting, "WebClientUrls", "WebClientUrl").map(url).collect())
    } else if setting.child("Value").is_some() {
        SettingValue::Text(setting.text_of("Value"))
    } else {
        SettingValue::Other
    };
    setting.text_of("Name").map(|name| UserSetting { name, value })
}

/// SOAP 1.1 section 4.4 and SOAP 1.2 section 5.4.
fn read_fault(fault: &Element) -> SoapFault {
    let code = fault.text_of("faultcode").or_else(|| fault.child("Code").and_then(|code| code.text_of("Value")));
    let reason = fault.text_of("faultstring").or_else(|| fault.child("Reason").and_then(|reason| reason.text_of("Text")));
    let detail = fault.child("detail");
    let back_off = |value: &Element| {
        let is_back_off = value.attribute("Name") == Some("BackOffMilliseconds");
        if is_back_off { value.text.trim().parse().ok() } else { None }
    };
    SoapFault {
        code: clip(code.as_deref().map(|code| code.rsplit(':').next().unwrap_or(code)).unwrap_or_default(), 100),
        reason: clip(&reason.unwrap_or_default(), 500),
        response_code: detail.and_then(|detail| find(detail, &|element| text_if(element, "ResponseCode"))),
        back_off_ms: detail.and_then(|detail| find(detail, &|element| element.matches("Value").and_then(|_| back_off(element)))),
    }
}

fn text_if(element: &Element, name: &str) -> Option<String> {
    element.matches(name)?;
    Some(element.text.trim()).filter(|text| !text.is_empty()).map(|text| clip(text, 100))
}

/// The first descendant that has what is looked for. The tree is at most 64 deep.
fn find<T>(element: &Element, look: &dyn Fn(&Element) -> Option<T>) -> Option<T> {
    element.children.iter().find_map(|child| look(child).or_else(|| find(child, look)))
}

/// The children `inner` of the child `outer`.
fn within<'a>(element: &'a Element, outer: &'a str, inner: &'a str) -> impl Iterator<Item = &'a Element> {
    element.child(outer).into_iter().flat_map(move |list| list.children(inner))
}

fn code(element: &Element) -> SoapCode {
    SoapCode::parse(&element.text_of("ErrorCode").unwrap_or_default())
}

fn message_of(element: &Element) -> String {
    clip(&element.text_of("ErrorMessage").unwrap_or_default(), 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn parse(body: &[u8], asked: usize) -> Result<SoapAnswer, Fault> {
        parse_user_settings(body, "text/xml; charset=utf-8", asked)
    }

    fn settings(body: &[u8], asked: usize) -> UserSettings {
        match parse(body, asked) {
            Ok(SoapAnswer::Settings(settings)) => settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn settings_of_every_kind_are_read() {
        let answer = settings(fixture!("soap-settings.xml"), 1);
        assert_eq!((answer.server_version.as_deref(), &answer.code), (Some("Exchange2015"), &SoapCode::NoError));
        let [Some(user)] = answer.users.as_slice() else { panic!("{answer:?}") };
        assert_eq!((&user.code, &user.redirect, user.microsoft_online()), (&SoapCode::NoError, &None, Some(true)));
        assert_eq!(user.text("autodiscoversmtpaddress"), Some("anna@contoso.com"));
        let connection = |hostname: &str, port: Option<&str>, encryption: Option<&str>| ProtocolConnection {
            hostname: Some(hostname.into()),
            port: port.map(Into::into),
            encryption: encryption.map(Into::into),
        };
        let expected = [connection("outlook.office365.com", Some("993"), Some("SSL")), connection("mail.contoso.com", None, None)];
        assert_eq!(user.connections("ExternalImap4Connections"), expected);
        assert_eq!((user.connections("ExternalPop3Connections").len(), user.text("UserDN"), user.text("Missing")), (0, None, None));
        let url = WebClientUrl { methods: Some("Fba".into()), url: Some("https://outlook.office365.com/owa/".into()) };
        let others: Vec<_> = user.settings.iter().filter(|setting| setting.name != "ExternalImap4Connections").collect();
        assert!(others.iter().any(|setting| setting.value == SettingValue::Urls(vec![url.clone()])), "{others:?}");
        assert!(others.iter().any(|setting| setting.name == "AlternateMailboxes" && setting.value == SettingValue::Other), "{others:?}");
        let error = SettingError { name: "ExternalSmtpConnections".into(), code: SoapCode::SettingIsNotAvailable };
        assert_eq!(user.errors, [error]);
    }

    #[test]
    fn answers_belong_to_addresses_by_their_place() {
        let answer = settings(fixture!("soap-mixed-batch.xml"), 6);
        let codes: Vec<Option<SoapCode>> = answer.users.iter().map(|user| user.as_ref().map(|user| user.code.clone())).collect();
        let expected = [
            Some(SoapCode::NoError),
            Some(SoapCode::RedirectAddress),
            Some(SoapCode::RedirectUrl),
            Some(SoapCode::InvalidUser),
            Some(SoapCode::ServerBusy),
            Some(SoapCode::Other("ErrorOfTomorrow".into())),
        ];
        assert_eq!((codes.as_slice(), answer.unanswered()), (&expected[..], vec![4]));
        let redirects: Vec<_> = answer.users.iter().flatten().filter_map(|user| user.redirect.as_deref()).collect();
        assert_eq!(redirects, ["anna@contoso.mail.onmicrosoft.com", "https://autodiscover.contoso.com/autodiscover/autodiscover.svc"]);
    }

    #[test]
    fn a_short_list_is_asked_again_and_a_long_one_is_refused() {
        let answer = settings(fixture!("soap-settings.xml"), 3);
        assert_eq!((answer.users.len(), answer.unanswered()), (3, vec![1, 2]));
        assert_eq!(parse(fixture!("soap-mixed-batch.xml"), 5), Err(Fault::TooManyAnswers { asked: 5, given: 6 }));
    }

    #[test]
    fn a_share_of_a_batch_reads_as_it_did_in_the_batch() {
        for (body, asked) in [(fixture!("soap-mixed-batch.xml"), 6), (fixture!("soap-settings.xml"), 1)] {
            for user in settings(body, asked).users.into_iter().flatten() {
                let share = settings(user_settings_answer(&user).as_bytes(), 1);
                assert_eq!(share.users, [Some(user)]);
            }
        }
        let user = UserAnswer { message: "<a> & \"b\"".into(), redirect: Some("https://a.example/?b&c".into()), ..UserAnswer::default() };
        assert_eq!(settings(user_settings_answer(&user).as_bytes(), 1).users, [Some(user)]);
    }

    #[test]
    fn an_error_of_the_request_leaves_all_unanswered() {
        for (body, code, passes, less) in [
            (fixture!("soap-server-busy.xml"), SoapCode::ServerBusy, true, true),
            (fixture!("soap-invalid-request.xml"), SoapCode::InvalidRequest, false, true),
        ] {
            let answer = settings(body, 2);
            assert_eq!((&answer.code, answer.users.as_slice(), answer.unanswered()), (&code, &[None, None][..], vec![0, 1]));
            assert_eq!((answer.code.is_passing(), answer.code.asks_for_less()), (passes, less));
        }
    }

    #[test]
    fn faults_of_both_versions_are_answers() {
        let fault = |code: &str, reason: &str| SoapFault { code: code.into(), reason: reason.into(), ..SoapFault::default() };
        for (body, expected) in [
            (fixture!("soap-fault.xml"), fault("Client", "")),
            (fixture!("soap-fault-1-2.xml"), fault("Sender", "An error occurred when verifying security for the message.")),
            (
                fixture!("soap-fault-busy.xml"),
                SoapFault {
                    response_code: Some("ErrorServerBusy".into()),
                    back_off_ms: Some(297_749),
                    ..fault("ErrorServerBusy", "The server cannot service this request right now. Try again later.")
                },
            ),
        ] {
            assert_eq!(parse(body, 1), Ok(SoapAnswer::Fault(expected)));
        }
    }

    #[test]
    fn what_is_no_answer_is_refused_by_name() {
        for (body, fault) in [
            (fixture!("soap-request.xml"), Fault::NoMessage { name: "GetUserSettingsResponseMessage" }),
            (fixture!("soap-no-body.xml"), Fault::NoMessage { name: "Body" }),
            (fixture!("soap-no-response.xml"), Fault::NoMessage { name: "Response" }),
            (fixture!("soap-truncated.xml"), Fault::CutOff { element: "Hostname".into() }),
            (fixture!("page.html"), Fault::Html),
            (fixture!("answer.json"), Fault::Json),
            (fixture!("pox-exchange.xml"), Fault::WrongRoot { name: "Autodiscover".into() }),
            (b"", Fault::Empty),
        ] {
            assert_eq!(parse(body, 1), Err(fault.clone()), "{fault}");
        }
    }

    #[test]
    fn the_request_is_the_documented_one_and_escapes_what_it_holds() {
        let addresses = ["one@contoso.com", "two@contoso.com"].map(|text| Address::parse(text).unwrap());
        let url = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc";
        assert_eq!(user_settings_request(url, &addresses).as_bytes(), fixture!("soap-request.xml"));
        let request = user_settings_request("https://a.example/?<&", &[Address::parse("\"</a:User>\"@contoso.com").unwrap()]);
        assert_eq!((request.matches("</a:User>").count(), request.contains("https://a.example/?&lt;&amp;")), (1, true));
    }
}
