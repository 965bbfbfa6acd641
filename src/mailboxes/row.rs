//! One row to one mailbox.

use std::borrow::Cow;

use crate::model::{Address, AddressError, DomainError, Hosting, Person, Profile, Protocols};

use super::{
    column::Column,
    list::RefusalReason,
    plain::{PlainLine, trim},
};

/// The fields of a row that are used.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    cells: Vec<(Column, Cow<'a, str>)>,
    /// Whether the sign-in name stands in for an address that is not there.
    sign_in_name_stands_in: bool,
}

/// What a row says of a mailbox.
pub(super) struct Parsed {
    pub(super) address: Address,
    pub(super) profile: Profile,
    pub(super) person: Option<Box<Person>>,
    /// The sign-in name stands in for the address.
    pub(super) by_sign_in_name: bool,
    /// What was not understood, and is taken for empty.
    pub(super) unread: Vec<(Column, String)>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(sign_in_name_stands_in: bool) -> Self {
        Self { cells: Vec::new(), sign_in_name_stands_in }
    }

    pub(super) fn push(&mut self, column: Column, text: impl Into<Cow<'a, str>>) {
        self.cells.push((column, text.into()));
    }

    /// A list with nothing but addresses, and names at most.
    pub(super) fn of_line(line: &'a str) -> Self {
        let PlainLine { address, name } = PlainLine::read(line);
        let cells = vec![(Column::Address(0), address.into()), (Column::DisplayName, name.into())];
        Self { cells, sign_in_name_stands_in: false }
    }

    /// Reads the row; `clients` are those that it may name. What decides whose mailbox it is, and where it lives, refuses the row
    /// where it is wrong; everything else counts as empty then.
    pub(super) fn parse(&self, clients: &[&str]) -> Result<Parsed, RefusalReason> {
        let recipient_type = self.text(Column::RecipientType);
        if is_no_mailbox(recipient_type) {
            return Err(RefusalReason::System(shorten(recipient_type, SHOWN)));
        }
        let (address, by_sign_in_name) = self.parse_address()?;
        let local = address.local().to_ascii_lowercase();
        if SYSTEM_LOCAL_PARTS.iter().any(|start| local.starts_with(start)) {
            return Err(RefusalReason::System(shorten(address.local(), SHOWN)));
        }
        let hosting = match self.text(Column::Hosting) {
            "" => None,
            text => Some(shorten(text, SHOWN).parse::<Hosting>()?),
        };
        let mut unread = Vec::new();
        let profile = Profile { hosting, protocols: self.protocols(&mut unread), clients: self.clients(clients, &mut unread) };
        Ok(Parsed { profile, person: self.person(&address), address, by_sign_in_name, unread })
    }

    fn find(&self, column: Column) -> Option<&str> {
        self.cells.iter().find(|(at, _)| *at == column).map(|(_, text)| trim(text))
    }

    fn text(&self, column: Column) -> &str {
        self.find(column).unwrap_or_default()
    }

    /// The address, and whether the sign-in name stands in for what another column should hold.
    fn parse_address(&self) -> Result<(Address, bool), RefusalReason> {
        let filled = |column| self.find(column).filter(|text| !text.is_empty());
        let all = filled(Column::EmailAddresses);
        let told = filled(Column::Address(0)).or_else(|| filled(Column::WindowsAddress)).or_else(|| all.and_then(primary_address));
        let sign_in_name = filled(Column::SignInName).filter(|_| told.is_none() && self.sign_in_name_stands_in);
        let has_column = |column| self.find(column).is_some();
        let text = match told.or(sign_in_name) {
            Some(text) => PlainLine::read(text).address,
            None if has_column(Column::Address(0)) || has_column(Column::WindowsAddress) => "",
            None if has_column(Column::EmailAddresses) => return Err(RefusalReason::NoPrimaryAddress),
            None if has_column(Column::SignInName) => "",
            None => return Err(RefusalReason::NoAddressField),
        };
        // most are short: count only where the bytes could be too many
        let length = if text.len() > MAX_CHARACTERS { text.chars().count() } else { 0 };
        if length > MAX_CHARACTERS {
            return Err(RefusalReason::AddressLength(length));
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(RefusalReason::Undecodable);
        }
        let address = Address::parse(text).map_err(|error| RefusalReason::Address(shorten_error(error)))?;
        Ok((address, sign_in_name.is_some() && self.cells.iter().any(|(column, _)| column.is_address())))
    }

    fn protocols(&self, unread: &mut Vec<(Column, String)>) -> Protocols {
        let mut switch = |column| self.switch(column, unread);
        let disabled = switch(Column::SmtpDisabled);
        let smtp = switch(Column::Smtp).or(disabled.map(|disabled| !disabled));
        Protocols {
            imap: switch(Column::Imap).unwrap_or(true),
            pop3: switch(Column::Pop3).unwrap_or(true),
            smtp: smtp.unwrap_or(true),
            activesync: switch(Column::ActiveSync).unwrap_or(true),
        }
    }

    /// `None`: not set.
    fn switch(&self, column: Column, unread: &mut Vec<(Column, String)>) -> Option<bool> {
        // spreadsheet programs write the words of their own language
        match self.text(column).to_lowercase().as_str() {
            "" => None,
            "true" | "1" | "yes" | "y" | "on" | "enabled" | "$true" | "wahr" | "ja" | "vrai" | "oui" | "verdadero" | "vero" => Some(true),
            "false" | "0" | "no" | "n" | "off" | "disabled" | "$false" | "falsch" | "nein" | "faux" | "non" | "falso" => Some(false),
            _ => {
                unread.push((column, shorten(self.text(column), SHOWN)));
                None
            }
        }
    }

    /// `None`: the tenant's. A cell with one name that is not known says nothing.
    fn clients(&self, known: &[&str], unread: &mut Vec<(Column, String)>) -> Option<Vec<String>> {
        let mut clients: Vec<String> = Vec::new();
        for name in self.text(Column::Clients).split([' ', ',', ';', '|', '\t']).filter(|name| !name.is_empty()) {
            let Some(client) = known.iter().find(|client| client.eq_ignore_ascii_case(name)) else {
                unread.push((Column::Clients, shorten(self.text(Column::Clients), SHOWN)));
                return None;
            };
            if !clients.iter().any(|one| one == client) {
                clients.push((*client).to_owned());
            }
        }
        (!clients.is_empty()).then_some(clients)
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
        let cells = fields.iter().map(|(column, text)| (*column, (*text).into())).collect();
        Fields { cells, sign_in_name_stands_in: true }.parse(&["thunderbird", "srv"])
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
    fn a_bad_field_is_left_out_or_refuses_the_row() {
        let anna = (Column::Address(0), "anna@contoso.com");
        for (column, text) in [
            (Column::Imap, "maybe"),
            (Column::Smtp, "anna@fabrikam.com"),
            (Column::SmtpDisabled, "n/a"),
            (Column::Clients, "srv|tunderbird"),
            (Column::Clients, "Outlook 2016"),
        ] {
            let parsed = parse(&[anna, (column, text)]).ok();
            assert_eq!(parsed.map(|parsed| (parsed.profile, parsed.unread)), Some((Profile::default(), vec![(column, text.to_owned())])));
        }
        for (column, text) in [(Column::RecipientType, "DiscoveryMailbox"), (Column::RecipientType, "MailUser")] {
            assert_eq!(parse(&[anna, (column, text)]).err(), Some(RefusalReason::System(text.to_owned())));
        }
        assert!(matches!(parse(&[anna, (Column::Hosting, "office365")]), Err(RefusalReason::Hosting(_))));
        assert_eq!(parse(&[]).err(), Some(RefusalReason::NoAddressField));
        assert_eq!(parse(&[(Column::Address(0), "an\u{FFFD}na@contoso.com")]).err(), Some(RefusalReason::Undecodable));
        let discovery = (Column::Address(0), "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}@contoso.onmicrosoft.com");
        assert!(matches!(parse(&[discovery]), Err(RefusalReason::System(_))));
    }

    #[test]
    fn another_column_stands_in_for_an_empty_address() {
        let windows = (Column::WindowsAddress, "w@contoso.com");
        let all = (Column::EmailAddresses, "smtp:x@contoso.com SMTP:p@contoso.com");
        let sign_in = (Column::SignInName, "u@contoso.com");
        let empty = (Column::Address(0), "\u{a0}\u{200b}");
        for (fields, expected) in [
            (vec![sign_in, all, windows, (Column::Address(0), "a@contoso.com")], ("a@contoso.com", false)),
            (vec![empty, sign_in, all, windows], ("w@contoso.com", false)),
            (vec![empty, sign_in, all], ("p@contoso.com", false)),
            (vec![empty, sign_in, (Column::EmailAddresses, "System.Collections.ArrayList")], ("u@contoso.com", true)),
        ] {
            let parsed = parse(&fields).ok().map(|parsed| (parsed.address.to_string(), parsed.by_sign_in_name));
            assert_eq!(parsed, Some((expected.0.to_owned(), expected.1)));
        }
        let fields = Fields { cells: vec![(empty.0, empty.1.into()), (sign_in.0, sign_in.1.into())], sign_in_name_stands_in: false };
        assert_eq!(fields.parse(&[]).err(), Some(RefusalReason::Address(AddressError::Empty)));
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
