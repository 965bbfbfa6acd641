//! A server as a user types it in, in the words that mail clients use.

use serde::Serialize;

use crate::model::{Address, EMAIL_ADDRESS, Person, Protocol, Security, Server};

/// A server as a user types it in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Setting {
    /// IMAP, POP3 or SMTP, as a rule.
    pub protocol: Protocol,
    /// The server's name.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// What to type as the user name.
    pub user_name: String,
    /// How to sign in, in words; empty where that is not known.
    pub sign_in: String,
}

impl Setting {
    /// The setting for one mailbox. Where the user signs in with a name of his own, that takes the place of the address.
    #[must_use]
    pub fn new(server: &Server, address: &Address, person: Option<&Person>) -> Self {
        let Server { protocol, host, port, security, username, .. } = server.expand(address);
        let is_address = server.username.is_empty() || server.username == EMAIL_ADDRESS;
        let user_name = if is_address {
            person.and_then(|person| person.sign_in_name.clone()).unwrap_or_else(|| address.to_string())
        } else {
            username
        };
        Self { protocol, host, port, security, user_name, sign_in: server.auth.first().map(|way| in_words(way)).unwrap_or_default() }
    }
}

/// A way to sign in, as mail clients name it.
fn in_words(way: &str) -> String {
    match way.to_ascii_lowercase().as_str() {
        "oauth2" => "OAuth2 (modern authentication)",
        "password-cleartext" | "plain" => "normal password",
        "password-encrypted" | "secure" => "encrypted password",
        "ntlm" => "NTLM",
        "gssapi" => "Kerberos (GSSAPI)",
        "client-ip-address" | "none" => "no authentication",
        "tls-client-cert" => "TLS certificate",
        _ => way,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_name_is_the_sign_in_name_unless_the_template_says_otherwise() {
        let address = Address::parse("anna@contoso.com").unwrap();
        let named = Person { sign_in_name: Some("a1@contoso.com".into()), ..Person::default() };
        for (template, person, expected) in [
            ("", None, "anna@contoso.com"),
            ("%EMAILADDRESS%", None, "anna@contoso.com"),
            ("%EMAILADDRESS%", Some(&named), "a1@contoso.com"),
            ("", Some(&named), "a1@contoso.com"),
            ("CONTOSO\\%EMAILLOCALPART%", Some(&named), "CONTOSO\\anna"),
        ] {
            let server = Server {
                protocol: Protocol::Imap,
                host: "imap.%EMAILDOMAIN%".into(),
                port: 993,
                security: Security::Tls,
                auth: vec!["OAuth2".into(), "plain".into()],
                username: template.into(),
                class: None,
            };
            let setting = Setting::new(&server, &address, person);
            assert_eq!((setting.user_name.as_str(), setting.host.as_str()), (expected, "imap.contoso.com"), "{template}");
            assert_eq!(setting.sign_in, "OAuth2 (modern authentication)");
        }
    }
}
