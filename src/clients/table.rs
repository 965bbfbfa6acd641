//! `config/clients.toml`: the table of clients.

use serde::Deserialize;

use super::template::Template;
use crate::model::LookupKind;

/// A mail client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name on the command line and in reports.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Which versions the row stands for.
    pub versions: String,
    /// Its parser.
    pub dialect: Dialect,
    /// Whether a tenant that names no clients audits it.
    pub audited: bool,
    /// Where the row's claims come from.
    pub sources: Vec<String>,
    /// Domains at whose hosts it can sign in with `OAuth2`; empty: anywhere.
    #[serde(default)]
    pub oauth_hosts: Vec<String>,
    /// Its lookups, the most important first.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// A parser of `config-v1.1.xml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Thunderbird's `readFromXML`.
    Thunderbird,
    /// Takes whatever names a server.
    Tolerant,
}

/// One source that a client asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The part that it plays.
    pub lookup: LookupKind,
    /// URLs, tried in order.
    #[serde(default)]
    pub urls: Vec<Template>,
    /// Ways of Autodiscover, tried in order.
    #[serde(default)]
    pub ways: Vec<Way>,
    /// Redirects inside Autodiscover answers that are followed: the first of these that an answer has.
    #[serde(default)]
    pub follow: Vec<Redirect>,
    /// How many of them are followed in one search.
    #[serde(default)]
    pub most_redirects: u8,
    /// The first URL with an HTTP success decides for all of them.
    #[serde(default)]
    pub first_answer_decides: bool,
    /// Autodiscover: its Exchange server is offered beside what an earlier step found.
    #[serde(default)]
    pub beside: bool,
}

/// A way to an Autodiscover endpoint (MS-OXDISCO section 3.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// `https://autodiscover.DOMAIN/autodiscover/autodiscover.xml`.
    AutodiscoverHost,
    /// `https://DOMAIN/autodiscover/autodiscover.xml`.
    RootHost,
    /// `http://autodiscover.DOMAIN/…`: where it redirects to, or what it answers itself.
    Http,
    /// `_autodiscover._tcp.DOMAIN`, the record of the lowest weight (Thunderbird 142, bug 1976254).
    SrvLowestWeight,
}

/// A redirect inside an Autodiscover answer (MS-OXDSCLI section 2.2.4.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    /// `RedirectUrl`: the same is asked there.
    Url,
    /// `RedirectAddr`: the search begins again with that address.
    Address,
}

/// All clients, in the order of reports.
#[derive(Debug, Clone)]
pub struct ClientTable(Vec<Client>);

/// Why a table of clients cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientTableError {
    /// The TOML is wrong.
    #[error("the table of clients cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Two rows of one file have one name.
    #[error("the table of clients names `{0}` twice")]
    Twice(String),
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
        parse(include_str!("../../config/clients.toml")).map(Self)
    }

    /// Adds a site's own rows; a row replaces the one of the same name.
    ///
    /// # Errors
    /// [`ClientTableError`] where the text is no table of clients.
    pub fn with(mut self, text: &str) -> Result<Self, ClientTableError> {
        for client in parse(text)? {
            match self.0.iter_mut().find(|known| known.name == client.name) {
                Some(known) => *known = client,
                None => self.0.push(client),
            }
        }
        Ok(self)
    }

    /// All clients.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.0.iter()
    }

    /// The names of all clients.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|client| client.name.clone()).collect()
    }

    /// The names of the clients that are audited unless a tenant says otherwise.
    #[must_use]
    pub fn audited_by_default(&self) -> Vec<String> {
        self.0.iter().filter(|client| client.audited).map(|client| client.name.clone()).collect()
    }
}

fn parse(text: &str) -> Result<Vec<Client>, ClientTableError> {
    let file: File = toml::from_str(text)?;
    for (at, client) in file.clients.iter().enumerate() {
        if file.clients.iter().take(at).any(|other| other.name == client.name) {
            return Err(ClientTableError::Twice(client.name.clone()));
        }
        for step in &client.steps {
            if let Some(what) = fault(step) {
                return Err(ClientTableError::Step { client: client.name.clone(), lookup: step.lookup, what });
            }
        }
    }
    Ok(file.clients)
}

fn fault(step: &Step) -> Option<&'static str> {
    let of_mx = step.urls.iter().any(Template::is_of_mx);
    match step.lookup {
        LookupKind::OwnAutoconfig | LookupKind::Ispdb if step.urls.is_empty() => Some("needs `urls`"),
        LookupKind::OwnAutoconfig | LookupKind::Ispdb if of_mx => {
            Some("cannot use {mx-parent} or {mx-base}: call it mx-autoconfig or mx-ispdb")
        }
        LookupKind::MxAutoconfig | LookupKind::MxIspdb if !of_mx => Some("needs `urls` with {mx-parent} or {mx-base}"),
        LookupKind::AutodiscoverPox if step.ways.is_empty() => Some("needs `ways`"),
        LookupKind::AutodiscoverPox if step.follow.is_empty() != (step.most_redirects == 0) => {
            Some("needs both `follow` and `most_redirects`, or neither")
        }
        LookupKind::Mx | LookupKind::AutodiscoverSrv | LookupKind::Wildcard => Some("is made by itself where it is needed: leave it out"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_names_a_source_for_every_client() {
        let table = ClientTable::built_in().unwrap();
        assert_eq!(table.names(), ["thunderbird", "mx-base-domain", "srv"]);
        assert_eq!(table.audited_by_default(), ["thunderbird"]);
        assert!(table.iter().all(|client| !client.sources.is_empty() && !client.steps.is_empty()));
    }

    #[test]
    fn a_site_adds_and_replaces_clients() {
        let own = r#"
            [[client]]
            name = "house-app"
            title = "The house's own app"
            versions = "all"
            dialect = "tolerant"
            audited = true
            sources = ["its manual"]
            [[client.step]]
            lookup = "ispdb"
            urls = ["https://ispdb.contoso.com/{domain}"]
        "#;
        let table = ClientTable::built_in().unwrap().with(own).unwrap();
        assert_eq!(table.audited_by_default(), ["thunderbird", "house-app"]);
        let replaced = table.with(&own.replace("audited = true", "audited = false")).unwrap();
        assert_eq!(replaced.audited_by_default(), ["thunderbird"]);
    }

    #[test]
    fn a_wrong_row_is_refused_with_its_name() {
        let row = |step: &str| {
            format!("[[client]]\nname='x'\ntitle='x'\nversions='x'\ndialect='tolerant'\naudited=false\nsources=[]\n[[client.step]]\n{step}")
        };
        for (step, message) in [
            ("lookup='ispdb'", "client `x`: a step `ispdb` needs `urls`"),
            (
                "lookup='mx-ispdb'\nurls=['https://a.example/{domain}']",
                "client `x`: a step `mx-ispdb` needs `urls` with {mx-parent} or {mx-base}",
            ),
            ("lookup='autodiscover-pox'", "client `x`: a step `autodiscover-pox` needs `ways`"),
            (
                "lookup='autodiscover-pox'\nways=['root-host']\nfollow=['url']",
                "client `x`: a step `autodiscover-pox` needs both `follow` and `most_redirects`, or neither",
            ),
            ("lookup='mx'", "client `x`: a step `mx` is made by itself where it is needed: leave it out"),
        ] {
            let error = ClientTable::built_in().unwrap().with(&row(step)).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let unknown = ClientTable::built_in().unwrap().with(&row("lookup='ispdb'\nurls=['ftp://{domain}/{nonsense}']")).unwrap_err();
        assert!(unknown.to_string().contains("{nonsense}"), "{unknown}");
    }
}
