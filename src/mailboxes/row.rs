//! One row to one mailbox.

use std::borrow::Cow;

use crate::model::{Address, AddressError, DomainError, Hosting, Person, Profile, Protocols};

use super::{column::Column, list::RefusalReason};

/// The fields of a row that are used.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(Column, Cow<'a, str>)>);

/// What a row says of a mailbox.
pub(super) struct Parsed {
    pub(super) address: Address,
    pub(super) profile: Profile,
    pub(super) person: Option<Box<Person>>,
}

impl<'a> Fields<'a> {
    pub(super) fn push(&mut self, column: Column, text: impl Into<Cow<'a, str>>) {
        self.0.push((column, text.into()));
    }

    /// A list with nothing but addresses.
    pub(super) fn address(text: &'a str) -> Self {
        Self(vec![(Column::Address(0), text.into())])
    }

    /// Reads the row; `clients` are those that it may name.
    pub(super) fn parse(&self, clients: &[&str]) -> Result<Parsed, RefusalReason> {
        let recipient_type = self.text(Column::RecipientType);
        if is_no_mailbox(recipient_type) {
            return Err(RefusalReason::System(shorten(recipient_type, SHOWN)));
        }
        let address = self.parse_address()?;
        let local = address.local().to_ascii_lowercase();
        if SYSTEM_LOCAL_PARTS.iter().any(|start| local.starts_with(start)) {
            return Err(RefusalReason::System(shorten(address.local(), SHOWN)));
        }
        let hosting = match self.text(Column::Hosting) {
            "" => None,
            text => Some(shorten(text, SHOWN).parse::<Hosting>()?),
        };
        let profile = Profile { hosting, protocols: self.protocols()?, clients: self.clients(clients)? };
        Ok(Parsed { profile, person: self.person(&address), address })
    }

    fn find(&self, column: Column) -> Option<&str> {
        self.0.iter().find(|(at, _)| *at == column).map(|(_, text)| text.trim())
    }

    fn text(&self, column: Column) -> &str {
        self.find(column).unwrap_or_default()
    }

    fn parse_address(&self) -> Result<Address, RefusalReason> {
        let text = match (self.find(Column::Address(0)), self.find(Column::EmailAddresses)) {
            (Some(text), _) => text,
            (None, Some(all)) => primary_address(all).ok_or(RefusalReason::NoPrimaryAddress)?,
            (None, None) => return Err(RefusalReason::NoAddressField),
        };
        // most are short: count only where the bytes could be too many
        let length = if text.len() > MAX_CHARACTERS { text.chars().count() } else { 0 };
        if length > MAX_CHARACTERS {
            return Err(RefusalReason::AddressLength(length));
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(RefusalReason::Undecodable);
        }
        Address::parse(text).map_err(|error| RefusalReason::Address(shorten_error(error)))
    }

    fn protocols(&self) -> Result<Protocols, RefusalReason> {
        let disabled = self.switch(Column::SmtpDisabled, "SmtpClientAuthenticationDisabled")?;
        let smtp = self.switch(Column::Smtp, "smtp")?.or(disabled.map(|disabled| !disabled));
        Ok(Protocols {
            imap: self.switch(Column::Imap, "imap")?.unwrap_or(true),
            pop3: self.switch(Column::Pop3, "pop")?.unwrap_or(true),
            smtp: smtp.unwrap_or(true),
            activesync: self.switch(Column::ActiveSync, "activesync")?.unwrap_or(true),
        })
    }

    /// `None`: not set.
    fn switch(&self, column: Column, name: &'static str) -> Result<Option<bool>, RefusalReason> {
        // spreadsheet programs write the words of their own language
        match self.text(column).to_lowercase().as_str() {
            "" => Ok(None),
            "true" | "1" | "yes" | "y" | "on" | "enabled" | "$true" | "wahr" | "ja" | "vrai" | "oui" | "verdadero" | "vero" => {
                Ok(Some(true))
            }
            "false" | "0" | "no" | "n" | "off" | "disabled" | "$false" | "falsch" | "nein" | "faux" | "non" | "falso" => Ok(Some(false)),
            other => Err(RefusalReason::Switch { column: name, value: shorten(other, SHOWN) }),
        }
    }

    fn clients(&self, known: &[&str]) -> Result<Option<Vec<String>>, RefusalReason> {
        let mut clients: Vec<String> = Vec::new();
        for name in self.text(Column::Clients).split([' ', ',', ';', '|', '\t']).filter(|name| !name.is_empty()) {
            let found = known.iter().find(|client| client.eq_ignore_ascii_case(name));
            let client = found.ok_or_else(|| RefusalReason::Client { name: shorten(name, SHOWN), known: known.join(", ") })?;
            if !clients.iter().any(|one| one == client) {
                clients.push((*client).to_owned());
            }
        }
        Ok(if clients.is_empty() { None } else { Some(clients) })
    }

    fn person(&self, address: &Address) -> Option<Box<Person>> {
        let text = |column| match self.text(column) {
            "" => None,
            text => Some(shorten(text, MAX_CHARACTERS)),
        };
        let person = Person {
            display_name: text(Column::DisplayName),
            department: text(Column::Department),
            manager: text(Column::Manager),
            sign_in_name: text(Column::SignInName)
                .filter(|name| Address::parse(name).map_or_else(|_| name.to_lowercase(), |name| name.key()) != address.key()),
        };
        (person != Person::default()).then(|| Box::new(person))
    }
}

/// At most `limit` characters, on one line.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    let text = text.trim();
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut short: String = text.chars().take(limit).map(plain).collect();
    if text.chars().nth(limit).is_some() {
        short.pop();
        short.push('…');
    }
    short.shrink_to_fit();
    short
}

/// Errors quote the list, which may hold anything.
fn shorten_error(error: AddressError) -> AddressError {
    let short = |text: String| shorten(&text, SHOWN);
    match error {
        AddressError::NoAt(text) => AddressError::NoAt(short(text)),
        AddressError::NoLocalPart(text) => AddressError::NoLocalPart(short(text)),
        AddressError::Character(character) if character.is_control() => AddressError::Character(char::REPLACEMENT_CHARACTER),
        AddressError::Domain(DomainError::Invalid(text)) => DomainError::Invalid(short(text)).into(),
        AddressError::Domain(DomainError::SingleLabel(text)) => DomainError::SingleLabel(short(text)).into(),
        AddressError::Domain(DomainError::AddressLiteral(text)) => DomainError::AddressLiteral(short(text)).into(),
        other => other,
    }
}

/// The address behind `SMTP:` in capitals (`proxyAddresses`), or the only one that there is.
fn primary_address(all: &str) -> Option<&str> {
    let mut parts = all.split([' ', ',', ';', '{', '}', '|']).filter(|part| !part.is_empty());
    let mut rest = parts.clone();
    parts.find_map(|part| part.strip_prefix("SMTP:")).or_else(|| match (rest.next(), rest.next()) {
        (Some(only), None) if only.contains('@') && !only.contains(':') => Some(only),
        _ => None,
    })
}

/// Whether a `RecipientTypeDetails` is one that nobody sets a mail client up for.
fn is_no_mailbox(recipient_type: &str) -> bool {
    let kind = recipient_type.to_ascii_lowercase();
    !kind.is_empty() && (!kind.ends_with("mailbox") || SYSTEM_TYPES.contains(&kind.as_str()))
}

/// How much of a refused value is shown.
const SHOWN: usize = 60;
/// Of a field.
const MAX_CHARACTERS: usize = 1_000;
const SYSTEM_TYPES: [&str; 9] = [
    "discoverymailbox",
    "arbitrationmailbox",
    "auditlogmailbox",
    "auxauditlogmailbox",
    "monitoringmailbox",
    "systemmailbox",
    "systemattendantmailbox",
    "publicfoldermailbox",
    "groupmailbox",
];
const SYSTEM_LOCAL_PARTS: [&str; 2] = ["discoverysearchmailbox{", "systemmailbox{"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fields: &[(Column, &'static str)]) -> Result<Parsed, RefusalReason> {
        let fields = Fields(fields.iter().map(|(column, text)| (*column, (*text).into())).collect());
        fields.parse(&["thunderbird", "srv"])
    }

    #[test]
    fn switches_are_read_as_exchange_writes_them() {
        for (column, text, expected) in [
            (Column::Imap, "False", Protocols { imap: false, ..Protocols::default() }),
            (Column::Imap, "", Protocols::default()),
            (Column::Pop3, "0", Protocols { pop3: false, ..Protocols::default() }),
            (Column::Smtp, "no", Protocols { smtp: false, ..Protocols::default() }),
            (Column::SmtpDisabled, "True", Protocols { smtp: false, ..Protocols::default() }),
            (Column::SmtpDisabled, "False", Protocols::default()),
            (Column::SmtpDisabled, "", Protocols::default()),
            (Column::ActiveSync, "off", Protocols { activesync: false, ..Protocols::default() }),
        ] {
            let parsed = parse(&[(Column::Address(0), "anna@contoso.com"), (column, text)]);
            assert_eq!(parsed.map(|parsed| parsed.profile.protocols), Ok(expected), "{column:?} {text}");
        }
    }

    #[test]
    fn a_bad_field_refuses_the_row_by_name() {
        let anna = (Column::Address(0), "anna@contoso.com");
        for (field, message) in [
            ((Column::Imap, "maybe"), "`maybe` in column `imap` is neither true nor false"),
            ((Column::Clients, "srv|tunderbird"), "`tunderbird` is not a known client; the clients are thunderbird, srv"),
            ((Column::RecipientType, "DiscoveryMailbox"), "`DiscoveryMailbox` is not a mailbox that a mail client is set up for"),
            ((Column::RecipientType, "MailUser"), "`MailUser` is not a mailbox that a mail client is set up for"),
        ] {
            assert_eq!(parse(&[anna, field]).err().map(|reason| reason.to_string()), Some(message.to_owned()));
        }
        assert!(matches!(parse(&[anna, (Column::Hosting, "office365")]), Err(RefusalReason::Hosting(_))));
        assert_eq!(parse(&[]).err(), Some(RefusalReason::NoAddressField));
        assert_eq!(parse(&[(Column::Address(0), "an\u{FFFD}na@contoso.com")]).err(), Some(RefusalReason::Undecodable));
        let discovery = (Column::Address(0), "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}@contoso.onmicrosoft.com");
        assert!(matches!(parse(&[discovery]), Err(RefusalReason::System(_))));
    }

    #[test]
    fn the_sign_in_name_is_kept_only_where_it_differs() {
        for (sign_in_name, expected) in
            [("Anna@Contoso.com", None), ("a.meier@contoso.com", Some("a.meier@contoso.com")), ("CONTOSO\\anna", Some("CONTOSO\\anna"))]
        {
            let parsed = parse(&[(Column::Address(0), "anna@contoso.com"), (Column::SignInName, sign_in_name)]);
            let kept = parsed.ok().and_then(|parsed| parsed.person).and_then(|person| person.sign_in_name);
            assert_eq!(kept.as_deref(), expected);
        }
    }

    #[test]
    fn the_primary_address_is_the_one_in_capitals() {
        for (all, expected) in [
            ("smtp:a@contoso.com SMTP:anna@contoso.com", Some("anna@contoso.com")),
            ("{SMTP:anna@contoso.com,smtp:a@contoso.com}", Some("anna@contoso.com")),
            ("anna@contoso.com", Some("anna@contoso.com")),
            ("System.Collections.ArrayList", None),
            ("smtp:a@contoso.com", None),
            ("a@contoso.com b@contoso.com", None),
            ("", None),
        ] {
            assert_eq!(primary_address(all), expected, "{all}");
        }
    }
}
