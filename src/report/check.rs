//! The account of one address: what each client would configure, and every lookup behind it. As text for a person, and as the
//! JSON contract `autodiscover-audit/check/1`.

mod assumed;
mod client;

use std::io::{self, Write};

use serde::Serialize;

pub use assumed::Position;

use super::{Story, layout::labelled};
use crate::{
    model::{
        Address, AnswerOutcome, Authority, Claim, ClientOutcome, Cloud, Hosting, LookupKind, Outcome, Server, Verdict, expand, visible,
    },
    remedy::Advisor,
};

/// One checked address.
#[derive(Debug, Clone, Serialize)]
pub struct CheckView {
    schema: &'static str,
    /// The address.
    pub address: Address,
    /// RFC 3339, UTC.
    pub checked_at: String,
    hosting: &'static str,
    /// Where the mailbox lives.
    #[serde(skip)]
    pub lives_in: Hosting,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<Cloud>,
    hosting_authority: Authority,
    /// What the authorities say, where they contradict each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosting_conflict: Vec<Claim>,
    /// Why the address is taken to be a personal account, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_account: Option<String>,
    /// Whether the user must type settings by hand.
    pub needs_manual_configuration: bool,
    /// The assumptions under which it would be so, as they were written; empty: it is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<String>,
    /// Those of them that no lookup has to do with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed_in_vain: Vec<String>,
    /// A client each.
    pub clients: Vec<ClientView>,
    /// Every lookup, in the order in which it was asked.
    pub lookups: Vec<LookupView>,
}

/// One client.
#[derive(Debug, Clone, Serialize)]
pub struct ClientView {
    /// The verdict and all that belongs to it, placeholders filled in.
    #[serde(flatten)]
    pub outcome: ClientOutcome,
    /// What the administrator can do about the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// How it stands in the world as it is, where another one is assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_it_is: Option<Position>,
    /// How it comes to its servers, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
}

/// One lookup.
#[derive(Debug, Clone, Serialize)]
pub struct LookupView {
    /// Its place, from 1.
    pub id: usize,
    /// The part that it played.
    pub lookup: LookupKind,
    /// What was asked.
    pub asked: String,
    /// What it came to.
    pub outcome: AnswerOutcome,
    /// Why, a line.
    pub detail: String,
    /// The URLs that redirects led to, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirected_to: Vec<String>,
    /// The chain of CNAMEs of the first host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cnames: Vec<String>,
    /// Times that it was asked.
    pub attempts: u8,
    /// Milliseconds.
    pub took_ms: u32,
    /// Nobody was asked: it is assumed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

impl CheckView {
    /// The account of an outcome, with the lookups behind it.
    #[must_use]
    pub fn new((address, checked_at): (Address, String), outcome: &Outcome, lookups: Vec<LookupView>, advisor: &Advisor) -> Self {
        let advice = |client: &ClientOutcome| Some(advisor.advice(&client.client, client.cause?, address.domain(), outcome.hosting));
        Self {
            schema: "autodiscover-audit/check/1",
            checked_at,
            hosting: outcome.hosting.kind(),
            lives_in: outcome.hosting,
            cloud: outcome.hosting.cloud().filter(|cloud| *cloud != Cloud::Worldwide),
            hosting_authority: outcome.authority,
            hosting_conflict: outcome.hosting_conflict.iter().map(|claim| claim.expand(&address)).collect(),
            personal_account: outcome.personal_account.as_ref().map(|why| expand(why, &address)),
            needs_manual_configuration: outcome.needs_manual_configuration,
            assumed: Vec::new(),
            assumed_in_vain: Vec::new(),
            clients: outcome.clients.iter().map(|client| ClientView::new(client.expand(&address), advice(client))).collect(),
            lookups,
            address,
        }
    }

    /// Writes the account for a person; `to_type` is what the user would type where that is needed.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_text(&self, out: &mut impl Write, to_type: &[Server]) -> io::Result<()> {
        let (unsure, found) = (self.names(ClientView::is_unsure), self.names(ClientView::is_finding));
        let need = match (self.needs_manual_configuration, unsure.is_empty(), self.assumed.is_empty()) {
            (true, _, true) => format!("needs manual configuration for {found}"),
            (true, _, false) => format!("would need manual configuration for {found}"),
            (false, false, _) => format!("could not be told for {unsure}"),
            (false, true, true) => "needs no manual configuration".to_owned(),
            (false, true, false) => "would need no manual configuration".to_owned(),
        };
        let address = self.address.to_string();
        let address = visible(&address);
        let domain = self.address.domain();
        let local = address.strip_suffix(domain.as_str()).unwrap_or_default();
        writeln!(out, "{local}{} ({}): {}", domain.for_people(), self.hosting, visible(&need))?;
        self.write_assumed(out)?;
        self.write_home(out)?;
        client::write_clients(out, self)?;
        if self.needs_manual_configuration && !to_type.is_empty() {
            writeln!(out, "\n  To type by hand (user name: {address}):")?;
            for server in to_type {
                writeln!(out, "    {}", visible(&describe(server)))?;
            }
        }
        writeln!(out, "\n  Lookups")?;
        for lookup in &self.lookups {
            write_lookup(out, lookup)?;
        }
        Ok(())
    }
}

impl CheckView {
    fn names(&self, is_one: fn(&ClientView) -> bool) -> String {
        let names = self.clients.iter().filter(|client| is_one(client)).map(|client| client.outcome.client.as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    /// Where the mailbox lives, as far as there is something to say of it.
    fn write_home(&self, out: &mut impl Write) -> io::Result<()> {
        if self.hosting_authority != Authority::Tenant {
            write!(out, "{}", labelled(2, "lives in", &format!("{}, as {} says", self.lives_in, self.hosting_authority)))?;
        }
        for (number, claim) in self.hosting_conflict.iter().enumerate() {
            write!(out, "{}", labelled(2, if number == 0 { "conflict" } else { "" }, &claim.to_string()))?;
        }
        if let Some(why) = &self.personal_account {
            write!(out, "{}", labelled(2, "personal", why))?;
        }
        Ok(())
    }
}

impl ClientView {
    fn new(outcome: ClientOutcome, advice: Option<String>) -> Self {
        Self { outcome, advice, as_it_is: None, story: None }
    }

    /// Whether it is audited, and wrong.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.outcome.audited && self.outcome.verdict.is_finding()
    }

    /// Whether it is audited, and could not be told about.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.outcome.audited && self.outcome.verdict == Verdict::Undetermined
    }
}

fn write_lookup(out: &mut impl Write, lookup: &LookupView) -> io::Result<()> {
    let head = format!(
        "  {:>3} {:<9} {:<16} {} ({} ms)",
        lookup.id,
        lookup.outcome.as_str(),
        lookup.lookup.as_str(),
        lookup.asked,
        lookup.took_ms
    );
    writeln!(out, "{}", visible(&head))?;
    for alias in &lookup.cnames {
        writeln!(out, "        alias of {}", visible(alias))?;
    }
    for url in &lookup.redirected_to {
        writeln!(out, "        redirected to {}", visible(url))?;
    }
    let again = match (lookup.assumed, lookup.attempts) {
        (true, _) => " (assumed)".to_owned(),
        (false, attempts @ 2..) => format!(" (asked {attempts} times)"),
        (false, _) => String::new(),
    };
    writeln!(out, "        {}{again}", visible(&lookup.detail))
}

/// `IMAP outlook.office365.com:993, SSL/TLS, oauth2 (shared)`.
fn describe(server: &Server) -> String {
    let auth = if server.auth.is_empty() { String::new() } else { format!(", {}", server.auth.join(" or ")) };
    let class = server.class.map(|class| format!(" ({class})")).unwrap_or_default();
    format!("{:<8} {}:{}, {}{auth}{class}", server.protocol.title(), server.host, server.port, server.security.title())
}
