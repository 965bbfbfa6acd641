//! `[[tenant]]`: one table to one tenant.

use std::{ops::Range, path::PathBuf};

use serde::{Deserialize, de::IgnoredAny};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::model::{
    Domain, EMAIL_ADDRESS, EMAIL_DOMAIN, Hosting, Protocol, Security, Server, Tenant, TenantId, is_public_suffix, normalise_host,
};
use crate::schedule::{ScheduleSettings, TenantScheduleSettings, Timetable};

use super::{
    Source, TenantConfig,
    check::{Faults, entries_of, table_of},
    suggest::nearest,
    texts,
};

/// The keys of `[[tenant]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTenant {
    id: Option<TenantId>,
    name: Option<String>,
    hosting: Option<Hosting>,
    clients: Option<Vec<String>>,
    allowed_hosts: Vec<String>,
    mailboxes: Option<PathBuf>,
    // read by itself
    #[serde(rename = "manual_settings")]
    _manual_settings: IgnoredAny,
    #[serde(rename = "schedule")]
    _schedule: IgnoredAny,
}

/// The keys of `manual_settings`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServer {
    protocol: Option<Protocol>,
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    username: Option<String>,
    auth: Vec<String>,
}

/// Reads the tenants of one file.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source<'a>,
    /// The clients that a tenant can name; empty where they are not known.
    pub(super) clients: &'a [String],
    /// When runs are due unless a tenant says otherwise.
    pub(super) schedule: &'a ScheduleSettings,
}

impl Reader<'_> {
    pub(super) fn read_all(&self, entries: Vec<(DeTable, Range<usize>)>, faults: &mut Faults) -> Vec<TenantConfig> {
        if entries.is_empty() {
            faults.add(None, "tenant", "there is none; add a `[[tenant]]` with `id` and `mailboxes`".to_owned());
        }
        let mut tenants: Vec<TenantConfig> = Vec::new();
        for (table, span) in entries {
            let id_span = table.get("id").map(Spanned::span);
            let Some(tenant) = self.read(table, span, faults) else { continue };
            let id = tenant.tenant.id.as_str();
            if let Some(earlier) = tenants.iter().find(|earlier| earlier.tenant.id.as_str().eq_ignore_ascii_case(id)) {
                let problem = format!("`{id}` is the id of the tenant in line {}, too; give each tenant its own", earlier.line);
                faults.add(id_span, "tenant.id", problem);
            }
            tenants.push(tenant);
        }
        tenants
    }

    fn read(&self, mut table: DeTable, span: Range<usize>, faults: &mut Faults) -> Option<TenantConfig> {
        for (key, advice) in [("id", "a short name in letters and digits"), ("mailboxes", "the file with the list of mailboxes")] {
            if !table.contains_key(key) {
                faults.add(Some(span.clone()), "tenant", format!("`{key}` is missing; write {advice}"));
            }
        }
        let servers = table.remove("manual_settings").map(|value| entries_of(value, "tenant.manual_settings", faults));
        let manual_settings = servers.into_iter().flatten().filter_map(|(table, span)| read_server(table, span, faults)).collect();
        let schedule = table.remove("schedule").and_then(|value| table_of(value, "tenant.schedule", faults)).unwrap_or_default();
        let spans = table.clone();
        let raw: RawTenant = faults.section("tenant", table);
        for (list, span) in texts(spans.get("mailboxes")).into_iter().filter(|_| self.source.needs_lists) {
            faults.check_file(span, "tenant.mailboxes", &self.source.resolve(list));
        }
        self.check_clients(&spans, faults);
        for (host, span) in texts(spans.get("allowed_hosts")) {
            if let Err(problem) = read_allowed_host(host) {
                faults.add(Some(span), "tenant.allowed_hosts", problem);
            }
        }
        let id = raw.id?;
        let timetable = self.read_timetable(&id, (schedule, span.clone()), faults);
        let tenant = Tenant {
            name: raw.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string()),
            id,
            hosting: raw.hosting.unwrap_or_default(),
            // empty: whatever the table of clients audits by default
            clients: raw.clients.unwrap_or_default(),
            allowed_hosts: raw.allowed_hosts.iter().filter_map(|host| read_allowed_host(host).ok()).collect(),
            manual_settings,
        };
        let mailboxes = self.source.resolve(raw.mailboxes?);
        Some(TenantConfig { tenant, mailboxes, timetable: timetable?, line: self.source.line(span.start) })
    }

    fn read_timetable(&self, id: &TenantId, (table, span): (DeTable, Range<usize>), faults: &mut Faults) -> Option<Timetable> {
        let spans = ["cron", "zone"].map(|key| table.get(key).map(Spanned::span));
        let own: TenantScheduleSettings = faults.section("tenant.schedule", table);
        match self.schedule.timetable(id, &own) {
            Ok(timetable) => Some(timetable),
            Err(error) => {
                let [cron, zone] = spans;
                let (at, key) = if error.is_zone() { (zone, "tenant.schedule.zone") } else { (cron, "tenant.schedule.cron") };
                faults.add(at.or(Some(span)), key, error.to_string());
                None
            }
        }
    }

    fn check_clients(&self, spans: &DeTable, faults: &mut Faults) {
        let Some(value) = spans.get("clients") else { return };
        if texts(Some(value)).is_empty() && value.get_ref().as_array().is_some() {
            faults.add(Some(value.span()), "tenant.clients", "no client is named; name one, or remove the key".to_owned());
        }
        check_names(value, ("tenant.clients", self.clients), faults);
    }
}

/// Refuses names that are no client's; where no client is known, none is refused.
pub(super) fn check_names(value: &Spanned<DeValue<'_>>, (key, clients): (&str, &[String]), faults: &mut Faults) {
    for (client, span) in texts(Some(value)) {
        if clients.is_empty() || clients.iter().any(|known| known == client) {
            continue;
        }
        let advice = match nearest(client, clients.iter().map(String::as_str)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("the clients are {}", clients.join(", ")),
        };
        faults.add(Some(span), key, format!("`{client}` is not a known client; {advice}"));
    }
}

fn read_server(table: DeTable, span: Range<usize>, faults: &mut Faults) -> Option<Server> {
    let missing: Vec<&str> = ["protocol", "host", "port", "security"].into_iter().filter(|key| !table.contains_key(*key)).collect();
    if !missing.is_empty() {
        let problem = format!("missing: `{}`; a user must type protocol, host, port and security", missing.join("`, `"));
        faults.add(Some(span), "tenant.manual_settings", problem);
    }
    let host_span = table.get("host").map(Spanned::span);
    let raw: RawServer = faults.section("tenant.manual_settings", table);
    let host = raw.host?;
    if Domain::parse(&host.replace(EMAIL_DOMAIN, "example.com")).is_err() {
        let problem = format!("`{host}` is not a host name; write it without scheme and port");
        faults.add(host_span, "tenant.manual_settings.host", problem);
    }
    Some(Server {
        protocol: raw.protocol?,
        host: if host.contains('%') { host } else { normalise_host(&host) },
        port: raw.port?,
        security: raw.security?,
        auth: raw.auth,
        username: raw.username.unwrap_or_else(|| EMAIL_ADDRESS.to_owned()),
        class: None,
    })
}

/// A host name, or `*.` and one; in A-labels.
pub(crate) fn read_allowed_host(text: &str) -> Result<String, String> {
    let (star, name) = text.trim().strip_prefix("*.").map_or(("", text), |name| ("*.", name));
    let domain =
        Domain::parse(name).map_err(|error| format!("{error}; write a host name, or `*.` and a domain, without scheme and port"))?;
    if is_public_suffix(domain.as_str()) {
        return Err(format!("`{text}` would allow hosts of strangers: `{domain}` is a public suffix; write a domain under it"));
    }
    Ok(format!("{star}{domain}"))
}
