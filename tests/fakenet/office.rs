//! An administrator's office in a fake internet: a configuration, lists of mailboxes and a database, as a user of the program
//! would have them; and the comparison of what the program found with what the world says.

use std::{
    fmt::Write as _,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use autodiscover_audit::{
    clients::ClientTable,
    model::{Mailbox, Outcome, Protocols},
    store::{Reader, ReportFilter},
};

use super::{
    Fakenet,
    world::{World, WorldMailbox},
};

/// A folder with everything that a run needs.
pub struct Office {
    folder: PathBuf,
}

/// Which clients are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedAt {
    /// Those that each tenant of the world audits, and those that are at risk by default.
    Named,
    /// The same, and all others as at risk.
    Everyone,
    /// Those that a configuration without a word on clients means.
    Defaults,
    /// Those of them that are audited.
    Audited,
}

impl Office {
    /// Writes the configuration and the lists of a world into a folder.
    pub fn furnish(folder: &Path, fakenet: &Fakenet, world: &World) -> Self {
        Self::furnish_for((folder, LookedAt::Named), fakenet, world)
    }

    /// The same, where other clients are looked at.
    pub fn furnish_for((folder, looked_at): (&Path, LookedAt), fakenet: &Fakenet, world: &World) -> Self {
        fs::create_dir_all(folder).unwrap();
        let (network, lookups) = (fakenet.network_toml(), Fakenet::lookups_toml());
        let mut text = String::from("database = \"audit.db\"\n");
        match looked_at {
            LookedAt::Everyone => writeln!(text, "at_risk_clients = {:?}", every_client()).unwrap(),
            LookedAt::Audited => text.push_str("at_risk_clients = []\n"),
            LookedAt::Named | LookedAt::Defaults => {}
        }
        writeln!(text, "\n{network}\n{lookups}\n[listener]\naddress = \"off\"\n").unwrap();
        for tenant in &world.tenants {
            writeln!(text, "[[tenant]]\nid = {:?}\nname = {:?}\nhosting = {:?}", tenant.id, tenant.name, tenant.hosting.to_string())
                .unwrap();
            if matches!(looked_at, LookedAt::Named | LookedAt::Everyone) {
                writeln!(text, "clients = {:?}", tenant.clients).unwrap();
            }
            writeln!(text, "allowed_hosts = {:?}", tenant.allowed_hosts).unwrap();
            writeln!(text, "mailboxes = \"{}.csv\"\n", tenant.id).unwrap();
            fs::write(folder.join(format!("{}.csv", tenant.id)), list(&tenant.mailboxes)).unwrap();
        }
        fs::write(folder.join("autodiscover-audit.toml"), text).unwrap();
        Self { folder: folder.to_owned() }
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("autodiscover-audit.toml")
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("audit.db")
    }

    pub fn list(&self, tenant: &str) -> PathBuf {
        self.folder.join(format!("{tenant}.csv"))
    }
}

/// The names of all built-in clients.
pub fn every_client() -> Vec<String> {
    ClientTable::built_in().unwrap().iter().map(|client| client.name.clone()).collect()
}

fn list(mailboxes: &[WorldMailbox]) -> String {
    let mut text = String::from("address,display_name,hosting,imap,pop,smtp\r\n");
    for WorldMailbox { address, display_name, hosting, protocols, .. } in mailboxes {
        let Protocols { imap, pop3, smtp, .. } = *protocols;
        let hosting = hosting.map(|hosting| hosting.to_string()).unwrap_or_default();
        let (address, name) = (address.replace('"', "\"\""), display_name.as_deref().unwrap_or_default().replace('"', "\"\""));
        write!(text, "\"{address}\",\"{name}\",{hosting},{imap},{pop3},{smtp}\r\n").unwrap();
    }
    text
}

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Verdicts that were compared: a mailbox and a client each.
    pub compared: usize,
    /// A line for each difference.
    pub differences: Vec<String>,
}

/// Compares all that a database holds with what the world says.
pub async fn compare(world: &World, reader: &Reader) -> Comparison {
    let mut found: Vec<(Mailbox, Outcome)> = Vec::new();
    let keep = |row: autodiscover_audit::store::MailboxRow| {
        found.push((row.mailbox, (*row.outcome).clone()));
        ControlFlow::Continue(())
    };
    reader.read_mailboxes(&ReportFilter::default(), keep).await.unwrap();
    let mut comparison = Comparison::default();
    for mailbox in world.tenants.iter().flat_map(|tenant| &tenant.mailboxes) {
        let address = mailbox.address();
        let Some((_, outcome)) = found.iter().find(|(known, _)| known.address.key() == address.key()) else {
            comparison.differences.push(format!("{address}: there is no outcome"));
            continue;
        };
        if outcome.needs_manual_configuration != mailbox.needs_manual {
            let found = outcome.needs_manual_configuration;
            comparison.differences.push(format!("{address}: needs manual configuration is {found}, not {}", mailbox.needs_manual));
        }
        if let Some(named) = named_mailbox(outcome) {
            comparison.differences.push(format!("{address}: what is stored names a mailbox: {named}"));
        }
        if let Some((hosting, authority)) = mailbox.home {
            let found = (outcome.hosting, outcome.authority, !outcome.hosting_conflict.is_empty(), outcome.personal_account.is_some());
            let expected = (hosting, authority, mailbox.conflict, mailbox.personal);
            if found != expected {
                comparison.differences.push(format!("{address}: its home is {found:?}, not {expected:?}"));
            }
        }
        for expected in world.expected_for(&address) {
            comparison.compared += 1;
            match outcome.clients.iter().find(|client| client.client == expected.client) {
                None => comparison.differences.push(format!("{address}: `{}` has no verdict", expected.client)),
                Some(client) => comparison.differences.extend(expected.differences(client)),
            }
        }
    }
    comparison
}

/// The end of a text that holds an address other than `postmaster`, where an outcome has one: it is stored for all mailboxes.
fn named_mailbox(outcome: &Outcome) -> Option<String> {
    let text = serde_json::to_string(outcome).unwrap();
    let mut before = text.char_indices().filter(|(at, character)| *character == '@' || text[*at..].starts_with("%40"));
    let (at, _) = before.find(|(at, _)| !["postmaster", "%EMAILLOCALPART%"].iter().any(|name| text[..*at].ends_with(name)))?;
    Some(text[..at].rsplit('"').next().unwrap_or_default().to_owned())
}
