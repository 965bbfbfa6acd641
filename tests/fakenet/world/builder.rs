//! Building a world, so that a domain takes a few lines.

use std::collections::{BTreeMap, BTreeSet};

use autodiscover_audit::model::{Address, Cause, Domain, Hosting};

use super::{
    Expected, ExpectedObstacle, World, WorldMailbox, WorldTenant,
    client::{FAIREMAIL, THUNDERBIRD},
    domain::DomainBuilder,
    expected::{HOTMAIL_2014_PAIR, Should, consumer, ok},
    unsaid::{CLIENTS, unsaid},
};
use crate::fakenet::{
    microsoft::Tenancy,
    net::Net,
    site::{Act, Site},
};

/// Where a document is published.
pub const CONFIG: &str = "/mail/config-v1.1.xml";
pub const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
pub const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";

/// A world in the making.
#[derive(Default)]
pub struct Builder {
    pub net: Net,
    pub(super) tenants: Vec<WorldTenant>,
    expected: BTreeMap<(String, &'static str), Expected>,
    open: BTreeSet<(String, &'static str)>,
    pub(super) obstacles: Vec<ExpectedObstacle>,
    /// Domains with an MX, and whether all of them are below `outlook.com`.
    pub(super) of_outlook: BTreeMap<String, bool>,
    /// Mailboxes for which `FairEmail` does something else than that suggests.
    pub(super) otherwise: BTreeSet<Address>,
}

impl Builder {
    /// Adds a tenant that audits Thunderbird; the mailboxes that follow are its own.
    pub fn tenant(&mut self, id: &'static str, name: &'static str, hosting: Hosting) -> &mut WorldTenant {
        let (clients, allowed_hosts, mailboxes) = (vec![THUNDERBIRD], Vec::new(), Vec::new());
        self.tenants.push(WorldTenant { id, name, hosting, clients, allowed_hosts, mailboxes });
        self.last_tenant()
    }

    /// A mail domain of the last tenant, with one mailbox, `anna`, and a web server that knows no discovery. Microsoft's services
    /// know it as one whose mailboxes live where the tenant's do.
    pub fn domain(&mut self, name: &str) -> DomainBuilder<'_> {
        let domain = Domain::parse(name).unwrap();
        self.net.host(domain.as_str(), Site::empty());
        self.unknown_domain(name)
    }

    /// A mail domain of the last tenant, with one mailbox, `anna`, that DNS does not know.
    pub fn unknown_domain(&mut self, name: &str) -> DomainBuilder<'_> {
        let hosting = self.last_tenant().hosting;
        self.net.microsoft.enter_domain(Domain::parse(name).unwrap().as_str(), Tenancy::of(hosting));
        DomainBuilder::new(self, name).mail("anna")
    }

    /// Puts an entry into the ISP database.
    pub fn ispdb(&mut self, keys: &[&str], act: &Act) {
        self.net.database.extend(keys.iter().map(|key| ((*key).to_owned(), act.clone())));
    }

    pub fn last_tenant(&mut self) -> &mut WorldTenant {
        self.tenants.last_mut().expect("a tenant comes before its domains")
    }

    /// Says what a client ends with, whatever was said before.
    pub(super) fn say(&mut self, mailbox: &WorldMailbox, client: &'static str, should: Should) {
        let key = key(&mailbox.address(), client);
        self.open.remove(&key);
        self.expected.insert(key, Expected::of(mailbox, client, should));
    }

    /// What has been said of a client.
    pub(super) fn said(&self, mailbox: &WorldMailbox, client: &'static str) -> Option<&Expected> {
        self.expected.get(&key(&mailbox.address(), client))
    }

    /// The same for every mailbox of a domain that is there.
    pub(super) fn say_in(&mut self, domain: &str, client: &'static str, should: Should) {
        let mailboxes = self.tenants.iter().flat_map(|tenant| tenant.mailboxes.clone());
        let of_domain: Vec<_> = mailboxes.filter(|mailbox| mailbox.address().domain().as_str() == domain).collect();
        assert!(!of_domain.is_empty(), "no domain `{domain}`");
        for mailbox in of_domain {
            self.say(&mailbox, client, should);
        }
    }

    /// Says that nobody knows what a client ends with, whatever was said before.
    pub(super) fn leave_open(&mut self, mailbox: &WorldMailbox, client: &'static str) {
        let key = key(&mailbox.address(), client);
        self.expected.remove(&key);
        self.open.insert(key);
    }

    /// The world, with what follows where nothing was said. In every domain whose MX is below `outlook.com` `FairEmail`'s profile `MSN` wins, which
    /// has 200 points, whatever is published (M12).
    pub fn build(mut self) -> World {
        let homes = self.tenants.iter().flat_map(|tenant| tenant.mailboxes.iter().map(|mailbox| (mailbox.clone(), tenant.hosting)));
        let homes: Vec<(WorldMailbox, Hosting)> = homes.collect();
        for (mailbox, hosting) in &homes {
            let domain = mailbox.address().domain().clone();
            for client in CLIENTS {
                let key = key(&mailbox.address(), client);
                if !self.expected.contains_key(&key)
                    && !self.open.contains(&key)
                    && let Some(should) = unsaid(&self, client, (mailbox, *hosting))
                {
                    self.say(mailbox, client, should);
                }
            }
            if self.of_outlook.get(domain.as_str()) == Some(&true) && !self.otherwise.contains(&mailbox.address()) {
                let consumers = mailbox.hosting.unwrap_or(*hosting) == Hosting::Consumer;
                let msn = if consumers { ok(HOTMAIL_2014_PAIR) } else { consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR) };
                self.say(mailbox, FAIREMAIL, msn);
            }
        }
        self.finish()
    }

    /// The world as it is.
    pub fn finish(mut self) -> World {
        for tenant in &self.tenants {
            for mailbox in &tenant.mailboxes {
                let address = mailbox.address();
                self.net.microsoft.enter_account(&address.to_string());
                if let Some(hosting) = mailbox.hosting.filter(|hosting| *hosting != tenant.hosting) {
                    self.net.microsoft.enter_hosting(&address.to_string(), hosting);
                }
            }
        }
        let expected = self.expected.into_values().collect();
        World { net: self.net.into(), tenants: self.tenants, expected, obstacles: self.obstacles }
    }
}

fn key(address: &Address, client: &'static str) -> (String, &'static str) {
    (address.to_string().to_lowercase(), client)
}
