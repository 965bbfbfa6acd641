//! An administrator's office in a fake internet: a configuration, lists of mailboxes and a database, as a user of the program
//! would have them; and the comparison of what the program found with what the world says.

use std::{
    fmt::Write as _,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use autodiscover_audit::{
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

impl Office {
    /// Writes the configuration and the lists of a world into a folder.
    pub fn furnish(folder: &Path, fakenet: &Fakenet, world: &World) -> Self {
        fs::create_dir_all(folder).unwrap();
        let (network, lookups) = (fakenet.network_toml(), Fakenet::lookups_toml());
        fs::write(folder.join("clients.toml"), every_client()).unwrap();
        let mut text =
            format!("database = \"audit.db\"\nclients_file = \"clients.toml\"\n\n{network}\n{lookups}\n[listener]\naddress = \"off\"\n\n");
        for tenant in &world.tenants {
            writeln!(text, "[[tenant]]\nid = {:?}\nname = {:?}\nhosting = {:?}", tenant.id, tenant.name, tenant.hosting.to_string())
                .unwrap();
            writeln!(text, "clients = {:?}\nallowed_hosts = {:?}", tenant.clients, tenant.allowed_hosts).unwrap();
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

/// The built-in clients, each of which is looked at everywhere.
fn every_client() -> String {
    let rows = include_str!("../../config/clients.toml");
    rows.replace("standing = \"on-request\"", "standing = \"at-risk\"")
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
