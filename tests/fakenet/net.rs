//! The fake internet as data: names and web hosts.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, RwLock},
};

use super::{
    mail::Mail,
    site::Site,
    zone::{Data, Zones},
};

/// Names and web hosts.
#[derive(Debug, Clone, Default)]
pub struct Net {
    pub zones: Zones,
    /// By host name; `*.name` is for every host below a name that has no entry of its own.
    pub sites: HashMap<String, Arc<Site>>,
    /// By host name and port; those that are there when the servers start.
    pub mail: HashMap<(String, u16), Mail>,
}

impl Net {
    /// Puts up a web host, and gives it an address unless the name has records already.
    pub fn host(&mut self, name: &str, site: impl Into<Arc<Site>>) {
        let name = name.to_ascii_lowercase();
        if !self.zones.has(&name) {
            self.zones.add(&name, Data::A(Ipv4Addr::LOCALHOST));
        }
        self.sites.insert(name, site.into());
    }

    /// Puts up a mail server, and gives its host an address unless the name has records already.
    pub fn mail(&mut self, name: &str, port: u16, mail: Mail) {
        let name = name.to_ascii_lowercase();
        if !self.zones.has(&name) {
            self.zones.add(&name, Data::A(Ipv4Addr::LOCALHOST));
        }
        self.mail.insert((name, port), mail);
    }

    /// A CNAME; the host that it leads to answers for the name, with its own certificate.
    pub fn alias(&mut self, name: &str, target: &str) {
        self.zones.add(name, Data::Cname(target.to_ascii_lowercase()));
    }

    /// The web host that answers for a name, with the name that its certificate is for; one that answers 404 where there is none.
    pub fn site(&self, name: &str) -> (String, Arc<Site>) {
        if let Some(site) = self.sites.get(name) {
            return (name.to_owned(), Arc::clone(site));
        }
        for alias in self.zones.aliases(name) {
            if let Some(site) = self.sites.get(&alias) {
                return (alias, Arc::clone(site));
            }
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(site) = self.sites.get(&format!("*.{parent}")) {
                return (name.to_owned(), Arc::clone(site));
            }
            rest = parent;
        }
        (name.to_owned(), Arc::new(Site::empty()))
    }
}

/// The net that is there now.
#[derive(Debug, Clone)]
pub struct Present(Arc<RwLock<Arc<Net>>>);

impl Present {
    pub fn of(net: &Arc<Net>) -> Self {
        Self(Arc::new(RwLock::new(Arc::clone(net))))
    }

    pub fn net(&self) -> Arc<Net> {
        Arc::clone(&self.0.read().unwrap())
    }

    pub fn change(&self, net: &Arc<Net>) {
        *self.0.write().unwrap() = Arc::clone(net);
    }
}
