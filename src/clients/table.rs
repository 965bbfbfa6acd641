//! `config/clients.toml`: the table of clients.

use std::collections::HashSet;

use serde::Deserialize;

use super::{
    built_in::Provider,
    offer::Offer,
    row::{Client, Standing, Step, Way},
};
use crate::model::{Intake, LookupKind, Protocol, V2Protocol};

/// All clients, in the order of reports.
#[derive(Debug, Clone)]
pub struct ClientTable {
    rows: Vec<Client>,
    /// Those that are looked at beside the audited ones; `None`: every one that is not on request.
    at_risk: Option<HashSet<String>>,
}

/// Why a table of clients cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientTableError {
    /// The TOML, or a value, is wrong.
    #[error("line {line}: {problem}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Two rows of one file have one name.
    #[error("the table of clients names `{0}` twice")]
    Twice(String),
    /// A row lacks what it needs.
    #[error("client `{client}` {what}")]
    Client {
        /// The client.
        client: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A step lacks what it needs.
    #[error("client `{client}`: a step `{lookup}` {what}")]
    Step {
        /// The client.
        client: String,
        /// The step.
        lookup: LookupKind,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "client")]
    clients: Vec<Client>,
}

impl ClientTable {
    /// The table that is compiled in.
    ///
    /// # Errors
    /// None, as a test loads it.
    pub fn built_in() -> Result<Self, ClientTableError> {
        Ok(Self { rows: parse(include_str!("../../config/clients.toml"))?, at_risk: None })
    }

    /// Adds a site's own rows; a row replaces the one of the same name.
    ///
    /// # Errors
    /// [`ClientTableError`] where the text is no table of clients.
    pub fn with(mut self, text: &str) -> Result<Self, ClientTableError> {
        for client in parse(text)? {
            match self.rows.iter_mut().find(|known| known.name == client.name) {
                Some(known) => *known = client,
                None => self.rows.push(client),
            }
        }
        Ok(self)
    }

    /// Looks at these clients alone beside the audited ones, whatever their standing.
    #[must_use]
    pub fn with_at_risk(mut self, names: &[String]) -> Self {
        self.at_risk = Some(names.iter().cloned().collect());
        self
    }

    /// All clients.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.rows.iter()
    }

    /// The names of all clients.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.rows.iter().map(|client| client.name.clone()).collect()
    }

    /// What each client takes from what is published, by its name.
    pub fn intakes(&self) -> impl Iterator<Item = (String, Intake)> {
        self.rows.iter().map(|client| (client.name.clone(), client.intake()))
    }

    /// The names of the clients that are audited unless a tenant says otherwise.
    #[must_use]
    pub fn audited_by_default(&self) -> Vec<String> {
        self.rows.iter().filter(|client| client.standing == Standing::Audited).map(|client| client.name.clone()).collect()
    }

    /// The clients that are looked at for somebody who audits some: these, and those that everybody is told about.
    #[must_use]
    pub fn watched(&self, audited: &HashSet<&str>) -> Vec<&Client> {
        let is_told = |client: &Client| match &self.at_risk {
            Some(names) => names.contains(&client.name),
            None => client.standing != Standing::OnRequest,
        };
        self.rows.iter().filter(|client| audited.contains(client.name.as_str()) || is_told(client)).collect()
    }

    /// How a client stands, where the site may have said who is looked at.
    #[must_use]
    pub fn standing(&self, client: &Client) -> Standing {
        let named = self.at_risk.as_ref().map(|names| names.contains(&client.name));
        match (client.standing, named) {
            (Standing::Audited, _) => Standing::Audited,
            (_, Some(true)) => Standing::AtRisk,
            (_, Some(false)) => Standing::OnRequest,
            (standing, None) => standing,
        }
    }
}

fn parse(text: &str) -> Result<Vec<Client>, ClientTableError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ClientTableError::Toml { line: before.matches('\n').count() + 1, problem: error.message().lines().collect::<Vec<_>>().join(", ") }
    })?;
    for (at, client) in file.clients.iter().enumerate() {
        if file.clients.iter().take(at).any(|other| other.name == client.name) {
            return Err(ClientTableError::Twice(client.name.clone()));
        }
        for step in &client.steps {
            if let Some(what) = fault(step) {
                return Err(ClientTableError::Step { client: client.name.clone(), lookup: step.lookup, what });
            }
        }
        if client.mx.is_some() != client.steps.iter().any(Step::is_of_mx) {
            let what = "needs both `mx` and a step `mx-autoconfig` or `mx-ispdb`, or neither";
            return Err(ClientTableError::Client { client: client.name.clone(), what });
        }
    }
    Ok(file.clients)
}

fn fault(step: &Step) -> Option<&'static str> {
    let of_mx = step.urls.iter().filter(|url| url.is_of_mx()).count();
    let (has_rows, guesses) = (!step.rows.is_empty(), !step.incoming.is_empty() || !step.outgoing.is_empty());
    match step.lookup {
        kind if kind != LookupKind::Srv && !step.services.is_empty() => Some("takes no `services`: they belong to a step `srv`"),
        LookupKind::BuiltIn => fault_of_table(step),
        LookupKind::Guess => fault_of_guess(step),
        _ if has_rows || step.any_mx => Some("takes no rows of a table: they belong to a step `built-in`"),
        _ if guesses => Some("takes no `incoming` and `outgoing`: they belong to a step `guess`"),
        LookupKind::OwnAutoconfig | LookupKind::Ispdb if step.urls.is_empty() => Some("needs `urls`"),
        LookupKind::OwnAutoconfig | LookupKind::Ispdb if of_mx > 0 => Some("cannot use {mx}: call it mx-autoconfig or mx-ispdb"),
        LookupKind::MxAutoconfig | LookupKind::MxIspdb if of_mx == 0 || of_mx < step.urls.len() => Some("needs `urls`, each with {mx}"),
        LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync if step.ways.is_empty() => Some("needs `ways`"),
        LookupKind::AutodiscoverMobilesync if step.ways.contains(&Way::Http) => Some("asks over https alone: write http-redirect"),
        LookupKind::AutodiscoverV2 if step.protocol.is_none_or(|protocol| protocol == V2Protocol::Rest) => {
            Some("needs `protocol`: active-sync, autodiscover-v1 or ews")
        }
        LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync | LookupKind::AutodiscoverV2
            if step.follow.is_empty() != (step.most_redirects == 0) =>
        {
            Some("needs both `follow` and `most_redirects`, or neither")
        }
        LookupKind::AutodiscoverSoap | LookupKind::Realm | LookupKind::Openid | LookupKind::CredentialType => {
            Some("is no client's: leave it out")
        }
        LookupKind::Mx | LookupKind::AutodiscoverSrv | LookupKind::Wildcard => Some("is made by itself where it is needed: leave it out"),
        _ => None,
    }
}

fn fault_of_table(step: &Step) -> Option<&'static str> {
    let is_one = |offer: &Offer| offer.ports.len() == 1 && offer.hosts.len() == 1 && !offer.needs_mx();
    let reads = |row: &Provider| row.servers.iter().any(|offer| offer.protocol != Protocol::Smtp);
    let rows = || step.rows.iter();
    if step.rows.is_empty() {
        Some("needs rows, `[[client.step.row]]`")
    } else if !step.urls.is_empty() || !step.ways.is_empty() || !step.incoming.is_empty() || !step.outgoing.is_empty() {
        Some("takes rows alone, and nothing to ask")
    } else if rows().any(|row| row.domains.is_empty() && !row.is_by_mx()) {
        Some("has a row that no domain and no MX can match: it needs `domains`, `mx` or `mx_base_of_incoming`")
    } else if rows().any(|row| !reads(row)) {
        Some("has a row without a server to read mail with")
    } else if rows().flat_map(|row| &row.servers).any(|offer| !is_one(offer)) {
        Some("has a row with a server of several ports or hosts, or with {mx}")
    } else if step.any_mx && !rows().any(Provider::is_by_mx) {
        Some("has `any_mx` and no row for an MX")
    } else {
        None
    }
}

fn fault_of_guess(step: &Step) -> Option<&'static str> {
    let sends = |offer: &Offer| offer.protocol == Protocol::Smtp;
    let is_mail = |offer: &Offer| matches!(offer.protocol, Protocol::Imap | Protocol::Pop3);
    if step.incoming.is_empty() || step.outgoing.is_empty() {
        Some("needs both `incoming` and `outgoing`")
    } else if !step.urls.is_empty() || !step.ways.is_empty() || !step.rows.is_empty() {
        Some("takes `incoming` and `outgoing` alone")
    } else if !step.incoming.iter().all(is_mail) || !step.outgoing.iter().all(sends) {
        Some("needs imap and pop3 in `incoming`, and smtp in `outgoing`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_names_a_source_for_every_client() {
        let table = ClientTable::built_in().unwrap();
        let audited = ["thunderbird", "thunderbird-android", "evolution", "srv", "outlook-classic", "outlook-new", "activesync"];
        let at_risk = [
            "thunderbird-72",
            "mx-base-domain",
            "kmail",
            "gnome-online-accounts",
            "geary",
            "nextcloud-mail",
            "himalaya",
            "delta-chat",
            "fairemail",
            "snappymail",
            "mailcore",
            "aosp-email",
            "autoconfig-draft",
        ];
        let names: Vec<&str> = audited.into_iter().chain(at_risk).collect();
        assert_eq!(table.names(), [names.as_slice(), &["apple-mail", "mailspring-microsoft-365", "pacc", "jmap"]].concat());
        assert_eq!(table.audited_by_default(), audited);
        for client in table.iter() {
            assert!(!client.sources.is_empty() && !client.steps.is_empty(), "{}", client.name);
            let texts = client.sources.iter().chain(client.steps.iter().map(|step| &step.source));
            assert!(texts.into_iter().all(|source| source.len() > 10), "{}", client.name);
        }
        assert_eq!(watched(&table, &[]), names);
    }

    fn watched(table: &ClientTable, audited: &[&str]) -> Vec<String> {
        table.watched(&audited.iter().copied().collect()).into_iter().map(|client| client.name.clone()).collect()
    }

    #[test]
    fn a_site_says_who_is_looked_at_beside_the_audited_clients() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            ClientTable::built_in().unwrap().with_at_risk(&names)
        };
        let none = of(&[]);
        assert_eq!(watched(&none, &["srv", "geary"]), ["srv", "geary"]);
        let few = of(&["srv", "mx-base-domain"]);
        assert_eq!(watched(&few, &["thunderbird"]), ["thunderbird", "srv", "mx-base-domain"]);
        let standing = |name: &str| few.standing(few.iter().find(|client| client.name == name).unwrap());
        assert_eq!(["srv", "mx-base-domain", "kmail"].map(standing), [Standing::Audited, Standing::AtRisk, Standing::OnRequest]);
        assert_eq!(few.audited_by_default(), ClientTable::built_in().unwrap().audited_by_default());
    }

    #[test]
    fn a_site_adds_and_replaces_clients() {
        let own = r#"
            [[client]]
            name = "house-app"
            title = "The house's own app"
            versions = "all"
            dialect = "tolerant"
            standing = "audited"
            sources = ["its manual"]
            [[client.step]]
            lookup = "ispdb"
            source = "its manual"
            urls = ["https://ispdb.contoso.com/{domain}"]
        "#;
        let table = ClientTable::built_in().unwrap();
        let built_in = table.audited_by_default();
        let table = table.with(own).unwrap();
        assert_eq!(table.audited_by_default(), [built_in.as_slice(), &["house-app".to_owned()]].concat());
        let replaced = table.with(&own.replace("\"audited\"", "\"on-request\"")).unwrap();
        assert_eq!(replaced.audited_by_default(), built_in);
        let is_watched = |named: &[&str]| watched(&replaced, named).contains(&"house-app".to_owned());
        assert_eq!((is_watched(&[]), is_watched(&["thunderbird"]), is_watched(&["house-app"])), (false, false, true));
    }

    #[test]
    fn a_wrong_row_is_refused_with_its_name() {
        let row = |step: &str| {
            format!(
                "[[client]]\nname='x'\ntitle='x'\nversions='x'\ndialect='tolerant'\nstanding='at-risk'\nsources=[]\n[[client.step]]\nsource='x'\n{step}"
            )
        };
        for (step, message) in [
            ("lookup='ispdb'", "client `x`: a step `ispdb` needs `urls`"),
            ("lookup='mx-ispdb'\nurls=['https://a.example/{domain}']", "client `x`: a step `mx-ispdb` needs `urls`, each with {mx}"),
            (
                "lookup='mx-ispdb'\nurls=['https://a.example/{mx}']",
                "client `x` needs both `mx` and a step `mx-autoconfig` or `mx-ispdb`, or neither",
            ),
            (
                "lookup='ispdb'\nurls=['https://a.example/{mx}']",
                "client `x`: a step `ispdb` cannot use {mx}: call it mx-autoconfig or mx-ispdb",
            ),
            ("lookup='autodiscover-pox'", "client `x`: a step `autodiscover-pox` needs `ways`"),
            (
                "lookup='autodiscover-pox'\nways=['root-host']\nfollow=['url']",
                "client `x`: a step `autodiscover-pox` needs both `follow` and `most_redirects`, or neither",
            ),
            ("lookup='built-in'", "client `x`: a step `built-in` needs rows, `[[client.step.row]]`"),
            (
                "lookup='ispdb'\nurls=['https://a.example/{domain}']\nany_mx=true",
                "client `x`: a step `ispdb` takes no rows of a table: they belong to a step `built-in`",
            ),
            (
                "lookup='srv'\nincoming=['imap tls 993 {domain}']",
                "client `x`: a step `srv` takes no `incoming` and `outgoing`: they belong to a step `guess`",
            ),
            (
                "lookup='ispdb'\nurls=['https://a.example/{domain}']\nservices=['_imaps']",
                "client `x`: a step `ispdb` takes no `services`: they belong to a step `srv`",
            ),
            ("lookup='guess'\nincoming=['imap tls 993 {domain}']", "client `x`: a step `guess` needs both `incoming` and `outgoing`"),
            (
                "lookup='guess'\nincoming=['smtp tls 465 {domain}']\noutgoing=['smtp tls 465 {domain}']",
                "client `x`: a step `guess` needs imap and pop3 in `incoming`, and smtp in `outgoing`",
            ),
            (
                "lookup='built-in'\n[[client.step.row]]\nname='r'\nservers=['imap tls 993 a.example']",
                "client `x`: a step `built-in` has a row that no domain and no MX can match: it needs `domains`, `mx` or `mx_base_of_incoming`",
            ),
            (
                "lookup='built-in'\n[[client.step.row]]\nname='r'\nmx=['**']\nservers=['smtp tls 465 a.example']",
                "client `x`: a step `built-in` has a row without a server to read mail with",
            ),
            (
                "lookup='built-in'\n[[client.step.row]]\nname='r'\nmx=['**']\nservers=['imap tls 993,143 a.example']",
                "client `x`: a step `built-in` has a row with a server of several ports or hosts, or with {mx}",
            ),
            (
                "lookup='built-in'\nany_mx=true\n[[client.step.row]]\nname='r'\ndomains=['a.*']\nservers=['imap tls 993 a.example']",
                "client `x`: a step `built-in` has `any_mx` and no row for an MX",
            ),
            ("lookup='mx'", "client `x`: a step `mx` is made by itself where it is needed: leave it out"),
            ("lookup='autodiscover-v2'", "client `x`: a step `autodiscover-v2` needs `protocol`: active-sync, autodiscover-v1 or ews"),
            ("lookup='autodiscover-mobilesync'", "client `x`: a step `autodiscover-mobilesync` needs `ways`"),
            (
                "lookup='autodiscover-mobilesync'\nways=['http']",
                "client `x`: a step `autodiscover-mobilesync` asks over https alone: write http-redirect",
            ),
            ("lookup='realm'", "client `x`: a step `realm` is no client's: leave it out"),
        ] {
            let error = ClientTable::built_in().unwrap().with(&row(step)).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let unknown = ClientTable::built_in().unwrap().with(&row("lookup='ispdb'\nurls=['ftp://{domain}/{nonsense}']")).unwrap_err();
        let unknown = unknown.to_string();
        assert!(unknown.starts_with("line 11: ") && unknown.contains("{nonsense}") && !unknown.contains('\n'), "{unknown}");
    }
}
