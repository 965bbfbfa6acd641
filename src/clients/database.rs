//! The ISP databases that clients ask: collections of documents by the name of a provider. Pure.

use super::{row::Client, template::Template};
use crate::model::{Lookup, LookupKind, Request};

/// An ISP database, as a URL with a place for the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IspDatabase {
    before: String,
    after: String,
}

impl Client {
    /// The databases that it asks; one that is told the mailbox is none of them, as its answer is for that mailbox.
    pub fn databases(&self) -> impl Iterator<Item = IspDatabase> {
        self.steps.iter().filter(|step| step.is_database()).flat_map(|step| &step.urls).filter_map(Template::database)
    }
}

impl IspDatabase {
    /// With what stands before and after the name.
    pub(super) fn new((before, after): (&str, &str)) -> Self {
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    /// Its name for people: host and path, the same over http and https.
    #[must_use]
    pub fn name(&self) -> String {
        let place = self.before.split_once("://").map_or(self.before.as_str(), |(_, place)| place);
        format!("{}{}", place.trim_end_matches('/'), self.after)
    }

    /// What a client asks for an entry.
    #[must_use]
    pub fn lookup(&self, entry: &str) -> Lookup {
        let request = Request::Get { url: format!("{}{entry}{}", self.before, self.after), address: None };
        Lookup { kind: LookupKind::Ispdb, asked: request.asked(), request }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;
    use crate::{
        clients::{ClientTable, search},
        model::{Assumption, Readings, Subject},
    };

    #[test]
    fn an_entry_is_asked_for_as_the_clients_ask() {
        let table = ClientTable::built_in().unwrap();
        let subject = Subject { address: "anna@outlook.com".parse().unwrap() };
        let clients = table.watched(&HashSet::new());
        let databases: BTreeSet<IspDatabase> = clients.iter().flat_map(|client| client.databases()).collect();
        let names: Vec<String> = databases.iter().map(IspDatabase::name).collect();
        assert_eq!(names, ["autoconfig.thunderbird.net/v1.1", "live.thunderbird.net/autoconfig/v1.1", "v1.ispdb.net"]);
        let asked = search(clients[0], &subject, &Readings::default(), Assumption::default()).missing;
        let of_thunderbird = clients[0].databases().next().unwrap();
        assert_eq!(of_thunderbird.name(), "live.thunderbird.net/autoconfig/v1.1");
        let lookup = of_thunderbird.lookup("outlook.com");
        assert!(asked.contains(&lookup), "{lookup:?} in {asked:?}");
    }

    #[test]
    fn a_database_that_is_told_the_mailbox_has_no_entry_for_all() {
        let row = |url: &str| {
            let text = format!(
                "[[client]]\nname='x'\ntitle='x'\nversions='x'\ndialect='tolerant'\nstanding='audited'\nsources=[]\n[[client.step]]\n\
                 source='x'\nlookup='ispdb'\nurls=['{url}']"
            );
            let table = ClientTable::built_in().unwrap().with(&text).unwrap();
            table.iter().last().unwrap().databases().map(|database| database.name()).collect::<Vec<_>>()
        };
        assert_eq!(row("http://ispdb.contoso.com:8080/v1.1/{domain}.xml"), ["ispdb.contoso.com:8080/v1.1.xml"]);
        assert_eq!(row("https://ispdb.contoso.com/{domain}?for={address}"), Vec::<String>::new());
        assert_eq!(row("https://{domain}/x/{domain}"), Vec::<String>::new());
    }
}
