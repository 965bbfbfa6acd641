//! Building a world, so that a domain takes a few lines.

use std::{borrow::Borrow, net::Ipv4Addr, sync::Arc};

use autodiscover_audit::model::{Cause, Domain, Hosting, Protocols};
use hickory_resolver::proto::rr::RecordType;

use super::{
    Expected, ExpectedObstacle, World, WorldMailbox, WorldTenant,
    expected::{EXO_ENTRY, HOTMAIL, Should, consumer, nothing, ok, unsure},
};
use crate::fakenet::{
    net::Net,
    site::{Act, Site},
    zone::{Data, Trouble},
};

pub const THUNDERBIRD: &str = "thunderbird";
pub const BASE: &str = "mx-base-domain";
pub const SRV: &str = "srv";
/// Where a document is published.
pub const CONFIG: &str = "/mail/config-v1.1.xml";
pub const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
pub const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";
pub const ISPDB: &str = "live.thunderbird.net";

/// A world in the making.
#[derive(Default)]
pub struct Builder {
    pub net: Net,
    tenants: Vec<WorldTenant>,
    expected: Vec<Expected>,
    obstacles: Vec<ExpectedObstacle>,
}

impl Builder {
    /// Adds a tenant that audits Thunderbird; the mailboxes that follow are its own.
    pub fn tenant(&mut self, id: &'static str, name: &'static str, hosting: Hosting) -> &mut WorldTenant {
        let (clients, allowed_hosts, mailboxes) = (vec![THUNDERBIRD], Vec::new(), Vec::new());
        self.tenants.push(WorldTenant { id, name, hosting, clients, allowed_hosts, mailboxes });
        self.tenants.last_mut().unwrap()
    }

    /// A mail domain of the last tenant, with one mailbox, `anna`, and a web server that knows no discovery.
    pub fn domain(&mut self, name: &str) -> DomainBuilder<'_> {
        let domain = Domain::parse(name).unwrap();
        self.net.host(domain.as_str(), Site::empty());
        self.unknown_domain(name)
    }

    /// A mail domain of the last tenant, with one mailbox, `anna`, that DNS does not know.
    pub fn unknown_domain(&mut self, name: &str) -> DomainBuilder<'_> {
        let domain = Domain::parse(name).unwrap();
        let first = self.tenants.last().unwrap().mailboxes.len();
        DomainBuilder { world: self, written: name.to_owned(), name: domain.to_string(), first }.mail("anna")
    }

    /// Puts an entry into the ISP database.
    pub fn ispdb(&mut self, keys: &[&str], act: &Act) {
        let site = self.net.sites.entry(ISPDB.to_owned()).or_insert_with(|| Arc::new(Site::empty()));
        let paths = &mut Arc::make_mut(site).https.paths;
        paths.extend(keys.iter().map(|key| (format!("/autoconfig/v1.1/{key}"), act.clone())));
    }

    /// Puts an entry into the ISP database in the place of what is there.
    pub fn change_ispdb(&mut self, key: &str, act: &Act) {
        if let Some(site) = self.net.sites.get_mut(ISPDB) {
            let path = format!("/autoconfig/v1.1/{key}");
            Arc::make_mut(site).https.paths.retain(|(known, _)| *known != path);
        }
        self.ispdb(&[key], act);
    }

    /// The world. Whoever was not given an expectation for SRV has no SRV records: nothing is found.
    pub fn build(mut self) -> World {
        for tenant in &self.tenants {
            for mailbox in &tenant.mailboxes {
                let address = mailbox.address();
                let known = self.expected.iter().any(|expected| expected.address == address && expected.client == SRV);
                if !known {
                    let microsofts = address.domain().as_str().ends_with(".onmicrosoft.com");
                    let cause = if microsofts { Cause::OnMicrosoftDomain } else { Cause::NothingPublished };
                    self.expected.push(Expected::of(mailbox, SRV, &nothing(cause)));
                }
            }
        }
        self.finish()
    }

    /// The world as it is.
    pub fn finish(self) -> World {
        World { net: Arc::new(self.net), tenants: self.tenants, expected: self.expected, obstacles: self.obstacles }
    }
}

/// A mail domain in the making; expectations are for the mailboxes that it has so far.
pub struct DomainBuilder<'a> {
    world: &'a mut Builder,
    written: String,
    name: String,
    first: usize,
}

impl DomainBuilder<'_> {
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
        self.world.tenants.last_mut().unwrap().mailboxes.push(mailbox);
        self
    }

    /// Another mailbox, with some protocols off.
    pub fn mail_without(self, local: &str, protocols: Protocols) -> Self {
        self.mail_with(local, |mailbox| mailbox.protocols = protocols)
    }

    /// The users of the mailboxes so far must type settings by hand.
    pub fn manual(self) -> Self {
        let first = self.first;
        for mailbox in &mut self.world.tenants.last_mut().unwrap().mailboxes[first..] {
            mailbox.needs_manual = true;
        }
        self
    }

    /// The same for one of them.
    pub fn manual_for(self, local: &str) -> Self {
        let at = self.position(local);
        self.world.tenants.last_mut().unwrap().mailboxes[at].needs_manual = true;
        self
    }

    pub fn thunderbird(self, should: impl Borrow<Should>) -> Self {
        self.all(THUNDERBIRD, should.borrow())
    }

    pub fn base(self, should: impl Borrow<Should>) -> Self {
        self.all(BASE, should.borrow())
    }

    pub fn by_srv(self, should: impl Borrow<Should>) -> Self {
        self.all(SRV, should.borrow())
    }

    /// Thunderbird and the base-domain client end alike.
    pub fn both(self, should: impl Borrow<Should>) -> Self {
        self.all(THUNDERBIRD, should.borrow()).all(BASE, should.borrow())
    }

    /// One client, for one mailbox.
    pub fn expect_for(self, local: &str, client: &'static str, should: &Should) -> Self {
        let at = self.position(local);
        let mailbox = &self.world.tenants.last().unwrap().mailboxes[at];
        self.world.expected.push(Expected::of(mailbox, client, should));
        self
    }

    /// The domain's own hosts give nothing: the MX decides, well for Thunderbird, badly for the others (M1, M3).
    pub fn mx_decides(self) -> Self {
        self.thunderbird(ok(EXO_ENTRY).fragile(Cause::MxBaseDomain)).base(consumer(Cause::MxBaseDomain, HOTMAIL))
    }

    /// The same, but one of its own hosts may only have been out of reach.
    pub fn in_doubt(self) -> Self {
        self.thunderbird(unsure(EXO_ENTRY)).base(unsure(HOTMAIL))
    }

    /// What stands in the way of a lookup; `{d}` stands for the domain.
    pub fn obstacle(self, asked: &str, obstacle: &'static str) -> Self {
        let asked = self.fill(asked);
        let address = self.world.tenants.last().unwrap().mailboxes[self.first].address();
        self.world.obstacles.push(ExpectedObstacle { address, asked, obstacle });
        self
    }

    fn all(self, client: &'static str, should: &Should) -> Self {
        for mailbox in &self.world.tenants.last().unwrap().mailboxes[self.first..] {
            self.world.expected.push(Expected::of(mailbox, client, should));
        }
        self
    }

    fn position(&self, local: &str) -> usize {
        let start = format!("{local}@");
        let mailboxes = &self.world.tenants.last().unwrap().mailboxes[self.first..];
        self.first + mailboxes.iter().position(|mailbox| mailbox.address.starts_with(&start)).unwrap()
    }

    fn host_name(&self, label: &str) -> String {
        if label.is_empty() { self.name.clone() } else { format!("{label}.{}", self.name) }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{d}", &self.name)
    }
}
