//! A mail domain in the making: what DNS, its web servers, the ISP database and Microsoft's services say of it.

use std::{net::Ipv4Addr, sync::Arc};

use autodiscover_audit::model::{Domain, Protocols};
use base64::{Engine, prelude::BASE64_STANDARD};
use hickory_resolver::proto::rr::RecordType;
use sha2::{Digest, Sha256};

use super::{
    WorldMailbox,
    builder::{AUTODISCOVER, Builder, CONFIG, WELL_KNOWN},
};
use crate::fakenet::{
    microsoft::Tenancy,
    site::{Act, Site},
    zone::{Data, Trouble},
};

/// A mail domain in the making; what is expected is for the mailboxes that it has so far.
pub struct DomainBuilder<'a> {
    pub(super) world: &'a mut Builder,
    /// As a list has it; may hold Unicode.
    written: String,
    name: String,
    /// The place of its first mailbox in the tenant's list.
    first: usize,
}

impl<'a> DomainBuilder<'a> {
    pub(super) fn new(world: &'a mut Builder, written: &str) -> Self {
        let first = world.last_tenant().mailboxes.len();
        Self { world, written: written.to_owned(), name: Domain::parse(written).unwrap().to_string(), first }
    }

    /// MX: the standard one of Exchange Online.
    pub fn exo_mx(self) -> Self {
        let host = format!("{}.mail.protection.outlook.com", self.name.replace('.', "-"));
        self.mx(0, &host)
    }

    /// MX: the new one of Exchange Online, which no ISP database knows.
    pub fn new_mx(self) -> Self {
        let host = format!("{}.o-v1.mx.microsoft", self.name.replace('.', "-"));
        self.mx(0, &host)
    }

    pub fn mx(self, preference: u16, host: &str) -> Self {
        let exchange = self.fill(host);
        let of_outlook = exchange.ends_with(".outlook.com");
        self.world.of_outlook.entry(self.name.clone()).and_modify(|all| *all &= of_outlook).or_insert(of_outlook);
        self.data("", Data::Mx { preference, exchange })
    }

    /// `autodiscover` as Exchange Online wants it.
    pub fn outlook(self) -> Self {
        self.alias("autodiscover", "autodiscover.outlook.com")
    }

    /// A record of a name below the domain; the empty name is the domain.
    pub fn data(self, label: &str, data: Data) -> Self {
        let name = self.host_name(label);
        self.world.net.zones.add(&name, data);
        self
    }

    pub fn address(self, label: &str, address: [u8; 4]) -> Self {
        self.data(label, Data::A(Ipv4Addr::from(address)))
    }

    pub fn alias(self, label: &str, target: &str) -> Self {
        let target = self.fill(target);
        self.data(label, Data::Cname(target))
    }

    /// A record of `_service._tcp`.
    pub fn srv(self, service: &str, (priority, weight, port): (u16, u16, u16), target: &str) -> Self {
        let target = target.to_owned();
        self.data(&format!("_{service}._tcp"), Data::Srv { priority, weight, port, target })
    }

    pub fn trouble(self, label: &str, kind: Option<RecordType>, trouble: Trouble) -> Self {
        let name = self.host_name(label);
        self.world.net.zones.trouble(&name, kind, trouble);
        self
    }

    /// A web host below the domain.
    pub fn host(self, label: &str, site: Site) -> Self {
        let name = self.host_name(label);
        self.world.net.host(&name, site);
        self
    }

    /// `https://autoconfig.D` does this, `http://autoconfig.D` knows nothing.
    pub fn autoconfig(self, act: Act) -> Self {
        self.host("autoconfig", Site::empty().https(CONFIG, act))
    }

    /// `https://D/.well-known/autoconfig` does this.
    pub fn well_known(self, act: Act) -> Self {
        self.root(WELL_KNOWN, act)
    }

    /// Both URLs over https, and `http://autoconfig.D` leads to the first.
    pub fn publishes(self, document: String) -> Self {
        let act = Act::xml(document);
        let upgrade = Act::redirect(301, format!("https://autoconfig.{}{CONFIG}", self.name));
        self.host("autoconfig", Site::empty().https(CONFIG, act.clone()).http(CONFIG, upgrade)).well_known(act)
    }

    /// The web server of the domain itself does this at a path.
    pub fn root(self, path: &str, act: Act) -> Self {
        let site = self.world.net.sites.get_mut(&self.name).unwrap();
        Arc::make_mut(site).https.paths.push((path.to_owned(), act));
        self
    }

    /// `https://autodiscover.D` does this, and `http://autodiscover.D` is a web page.
    pub fn autodiscover(self, act: Act) -> Self {
        self.host("autodiscover", Site::empty().https(AUTODISCOVER, act).any_http(Act::html()))
    }

    /// The ISP database does this for the domain.
    pub fn ispdb(self, act: &Act) -> Self {
        let key = self.name.clone();
        self.world.ispdb(&[&key], act);
        self
    }

    /// Another mailbox.
    pub fn mail(self, local: &str) -> Self {
        self.mail_with(local, |_| {})
    }

    pub fn mail_with(self, local: &str, change: impl FnOnce(&mut WorldMailbox)) -> Self {
        let mut mailbox = WorldMailbox::new(format!("{local}@{}", self.written));
        change(&mut mailbox);
        self.world.last_tenant().mailboxes.push(mailbox);
        self
    }

    /// Another mailbox, with some protocols off.
    pub fn mail_without(self, local: &str, protocols: Protocols) -> Self {
        self.mail_with(local, |mailbox| mailbox.protocols = protocols)
    }

    /// What Microsoft's services know about the domain is changed.
    pub fn known_as(self, change: impl FnOnce(&mut Tenancy)) -> Self {
        change(self.world.net.microsoft.domain_mut(&self.name));
        self
    }

    /// The same for one mailbox.
    pub fn mailbox_known_as(self, local: &str, change: impl FnOnce(&mut Tenancy)) -> Self {
        let address = format!("{local}@{}", self.name);
        let mut tenancy = self.world.net.microsoft.tenancy(&address);
        change(&mut tenancy);
        self.world.net.microsoft.enter_address(&address, tenancy);
        self
    }

    /// A PACC document, and the TXT record with its digest.
    pub fn pacc(self, document: &str) -> Self {
        let digest = BASE64_STANDARD.encode(Sha256::digest(document));
        self.pacc_with(document, &format!("v=UAAC1; a=sha256; d={digest}"))
    }

    /// A PACC document, and a TXT record beside it.
    pub fn pacc_with(self, document: &str, record: &str) -> Self {
        let site = Site::empty().https(PACC, Act::json(document));
        self.host("ua-auto-config", site).data("_ua-auto-config", Data::Txt(record.to_owned()))
    }

    /// JMAP by a record that leads to a host, which does this.
    pub fn jmap(self, host: &str, act: Act) -> Self {
        let host = self.fill(host);
        self.world.net.host(&host, Site::empty().https(JMAP, act));
        self.srv("jmap", (0, 1, 443), &host)
    }

    /// The mailboxes that it has so far.
    pub(super) fn mailboxes(&mut self) -> &mut [WorldMailbox] {
        &mut self.world.last_tenant().mailboxes[self.first..]
    }

    /// One of them.
    pub(super) fn mailbox(&mut self, local: &str) -> &mut WorldMailbox {
        let start = format!("{local}@");
        self.mailboxes().iter_mut().find(|mailbox| mailbox.address.starts_with(&start)).unwrap()
    }

    fn host_name(&self, label: &str) -> String {
        if label.is_empty() { self.name.clone() } else { format!("{label}.{}", self.name) }
    }

    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{d}", &self.name)
    }
}

/// Where PACC's document is.
const PACC: &str = "/.well-known/user-agent-configuration.json";
/// Where JMAP's session is.
const JMAP: &str = "/.well-known/jmap";
