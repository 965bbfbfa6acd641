//! Every key with what it may hold. THE place for ranges: the doc comments of the settings say the same.

use std::{fmt, sync::LazyLock};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor, value},
};
use toml::de::DeValue;

use crate::{
    alert::RouteSettings,
    model::LookupKind,
    network::{self, Paces},
    schedule::{ScheduleSettings, TenantScheduleSettings},
};

use super::{
    AlertSettings, AuditSettings, ListenerSettings, ServiceSettings, StoreSettings, Top,
    lookup::{PaceKeys, SoapKeys},
    tenant::{RawServer, RawTenant},
};

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A whole number in a range.
    Number(u64, u64),
    /// A number in a range from 0, with or without decimals.
    Decimal(u64),
    /// True or false.
    Switch,
    /// A port that can be led elsewhere.
    DetourPort,
    /// Text in quotes.
    Text,
    /// Text that a header can hold.
    HeaderText,
    /// A list of texts.
    Texts,
    /// A list of tables.
    Tables,
    /// A table.
    Table,
    /// A table that says where a secret is.
    Secret,
}

/// The keys of each table. Those outside tables are in the table without a name.
pub(super) const RULES: [(&str, &[(&str, Rule)]); 16] = [
    (
        "",
        &[
            ("database", Rule::Text),
            ("clients_file", Rule::Text),
            ("at_risk_clients", Rule::Texts),
            ("endpoints_file", Rule::Text),
            ("network", Rule::Table),
            ("lookups", Rule::Table),
            ("audit", Rule::Table),
            ("alerts", Rule::Table),
            ("channel", Rule::Table),
            ("route", Rule::Tables),
            ("schedule", Rule::Table),
            ("service", Rule::Table),
            ("listener", Rule::Table),
            ("store", Rule::Table),
            ("tenant", Rule::Tables),
        ],
    ),
    (
        "network",
        &[
            ("dns_servers", Rule::Texts),
            ("ca_files", Rule::Texts),
            ("allow_networks", Rule::Texts),
            ("contact", Rule::HeaderText),
            ("connect_timeout_seconds", Rule::Number(1, 60)),
            ("timeout_seconds", Rule::Number(1, 120)),
            ("dns_timeout_seconds", Rule::Number(1, 30)),
            ("concurrency", Rule::Number(1, 1024)),
            ("host_concurrency", Rule::Number(1, 64)),
            ("dns_concurrency", Rule::Number(1, 1024)),
            ("retry_pause_milliseconds", Rule::Number(0, 60_000)),
            ("hold_limit_seconds", Rule::Number(0, 900)),
            ("connect_to", Rule::Tables),
        ],
    ),
    (
        "network.connect_to",
        &[("host", Rule::Text), ("port", Rule::DetourPort), ("to_address", Rule::Text), ("to_port", Rule::Number(1, MAX_PORT))],
    ),
    (
        "lookups",
        &[
            ("own-autoconfig", Rule::Table),
            ("ispdb", Rule::Table),
            ("mx-autoconfig", Rule::Table),
            ("mx-ispdb", Rule::Table),
            ("mx", Rule::Table),
            ("autodiscover-pox", Rule::Table),
            ("autodiscover-srv", Rule::Table),
            ("srv", Rule::Table),
            ("wildcard", Rule::Table),
            ("autodiscover-mobilesync", Rule::Table),
            ("autodiscover-v2", Rule::Table),
            ("autodiscover-soap", Rule::Table),
            ("autodetect", Rule::Table),
            ("pacc", Rule::Table),
            ("jmap", Rule::Table),
            ("realm", Rule::Table),
            ("openid", Rule::Table),
            ("credential-type", Rule::Table),
            ("guess", Rule::Table),
        ],
    ),
    (EVERY_LOOKUP, &[("enabled", Rule::Switch), ("concurrency", Rule::Number(0, 64)), ("requests_per_second", Rule::Decimal(1000))]),
    (
        SOAP_LOOKUP,
        &[
            ("enabled", Rule::Switch),
            ("concurrency", Rule::Number(0, 64)),
            ("requests_per_second", Rule::Decimal(1000)),
            ("bearer_token", Rule::Secret),
        ],
    ),
    ("audit", &[("domains_at_once", Rule::Number(1, 1024)), ("watched_entries", Rule::Texts)]),
    (
        "tenant",
        &[
            ("id", Rule::Text),
            ("name", Rule::Text),
            ("hosting", Rule::Text),
            ("clients", Rule::Texts),
            ("allowed_hosts", Rule::Texts),
            ("mailboxes", Rule::Text),
            ("manual_settings", Rule::Tables),
            ("schedule", Rule::Table),
        ],
    ),
    ("tenant.schedule", SCHEDULE),
    ("schedule", SCHEDULE),
    (
        "alerts",
        &[
            ("confirm", Rule::Number(1, 10)),
            ("remind_after_days", Rule::Number(0, 365)),
            ("flapping_turns", Rule::Number(2, 20)),
            ("report_url", Rule::HeaderText),
        ],
    ),
    ("service", &[("heartbeat_url", Rule::Secret)]),
    ("listener", &[("address", Rule::Text), ("token", Rule::Secret), ("names", Rule::Texts)]),
    ("store", &[("keep_days", Rule::Number(7, 36_500)), ("keep_megabytes", Rule::Number(10, 1_000_000))]),
    ("route", &[("channels", Rule::Texts), ("tenants", Rule::Texts), ("least_severity", Rule::Text), ("kinds", Rule::Texts)]),
    (
        "tenant.manual_settings",
        &[
            ("protocol", Rule::Text),
            ("host", Rule::Text),
            ("port", Rule::Number(1, MAX_PORT)),
            ("security", Rule::Text),
            ("username", Rule::Text),
            ("auth", Rule::Texts),
        ],
    ),
];

const SCHEDULE: &[(&str, Rule)] = &[
    ("cron", Rule::Text),
    ("zone", Rule::Text),
    ("jitter_minutes", Rule::Number(0, 1_440)),
    ("deadline_minutes", Rule::Number(1, 10_080)),
];

const MAX_PORT: u64 = u16::MAX as u64;
/// Stands for the table of every kind of lookup.
const EVERY_LOOKUP: &str = "lookups.NAME";
/// The one that has a key more.
const SOAP_LOOKUP: &str = "lookups.autodiscover-soap";

/// The name under which the rules have a table.
fn in_rules(table: &str) -> &str {
    if table.starts_with("lookups.") && table != SOAP_LOOKUP { EVERY_LOOKUP } else { table }
}

static LOOKUP_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| Paces::kinds().map(LookupKind::as_str).collect());

/// The keys of a table, as the code that reads it has them.
pub(super) fn keys(table: &str) -> &'static [&'static str] {
    match in_rules(table) {
        "" => field_names::<Top>(),
        "network" => field_names::<network::Settings>(),
        "lookups" => &LOOKUP_NAMES,
        EVERY_LOOKUP => field_names::<PaceKeys>(),
        SOAP_LOOKUP => field_names::<SoapKeys>(),
        "network.connect_to" => field_names::<network::ConnectTo>(),
        "audit" => field_names::<AuditSettings>(),
        "tenant" => field_names::<RawTenant>(),
        "tenant.manual_settings" => field_names::<RawServer>(),
        "tenant.schedule" => field_names::<TenantScheduleSettings>(),
        "schedule" => field_names::<ScheduleSettings>(),
        "alerts" => field_names::<AlertSettings>(),
        "service" => field_names::<ServiceSettings>(),
        "listener" => field_names::<ListenerSettings>(),
        "store" => field_names::<StoreSettings>(),
        "route" => field_names::<RouteSettings>(),
        _ => &[],
    }
}

/// What to write where a value has the right type and is still of no use; `None` where the error itself says it.
pub(super) fn advice(name: &str) -> Option<&'static str> {
    match name {
        "network.dns_servers" => Some("write an IP address, or one with its port such as `192.0.2.53:5353`"),
        "network.allow_networks" => Some("write a network such as `10.0.0.0/8`"),
        "network.connect_to" => Some("write `port`, and `to_address` as an IP address"),
        "listener.address" => Some("write ADDRESS:PORT, unix:/PATH or off"),
        "audit.watched_entries" => Some("write the name of an entry, such as `outlook.com`"),
        "tenant.manual_settings.protocol" => Some("write imap, pop3, smtp, activesync, ews, exchange, graph or jmap"),
        "tenant.manual_settings.security" => Some("write tls, starttls or plain"),
        _ => None,
    }
}

/// All tables that have a key of that name.
pub(super) fn tables_with(key: &str) -> impl Iterator<Item = &'static str> {
    let is_twice = move |table: &str| table == SOAP_LOOKUP && keys(EVERY_LOOKUP).contains(&key);
    RULES.iter().map(|(table, _)| *table).filter(move |table| keys(table).contains(&key) && !is_twice(table))
}

/// What a key may hold.
pub(super) fn find(table: &str, key: &str) -> Option<Rule> {
    let (_, rules) = RULES.iter().find(|(name, _)| *name == in_rules(table))?;
    rules.iter().find(|(name, _)| *name == key).map(|(_, rule)| *rule)
}

impl Rule {
    /// Whether a value has the right type and lies in the range.
    pub(super) fn accepts(self, value: &DeValue) -> bool {
        match (self, value) {
            (Self::Number(least, most), DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix()).is_ok_and(|number| (least..=most).contains(&number))
            }
            (Self::DetourPort, DeValue::Integer(number)) => {
                u16::from_str_radix(number.as_str(), number.radix()).is_ok_and(|number| network::DETOUR_PORTS.contains(&number))
            }
            (Self::Decimal(most), DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix()).is_ok_and(|number| number <= most)
            }
            (Self::Decimal(most), DeValue::Float(number)) => {
                let most = u32::try_from(most).map_or(f64::MAX, f64::from);
                number.as_str().parse().is_ok_and(|number: f64| (0.0..=most).contains(&number))
            }
            (Self::HeaderText, DeValue::String(text)) => text.chars().all(|character| character == ' ' || character.is_ascii_graphic()),
            (Self::Text, DeValue::String(_)) | (Self::Table, DeValue::Table(_)) | (Self::Switch, DeValue::Boolean(_)) => true,
            (Self::Secret, DeValue::Table(place)) => {
                let keys: Vec<&str> = place.keys().map(|key| key.get_ref().as_ref()).collect();
                matches!(keys.as_slice(), ["file" | "credential" | "env"]) && place.values().all(|value| value.get_ref().is_str())
            }
            (Self::Texts, DeValue::Array(values)) => values.iter().all(|value| value.get_ref().is_str()),
            (Self::Tables, DeValue::Array(values)) => values.iter().all(|value| value.get_ref().is_table()),
            _ => false,
        }
    }
}

/// What to write.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(least, most) => write!(out, "write a whole number from {least} to {most}, without quotes"),
            Self::Decimal(most) => write!(out, "write a number from 0 to {most}, without quotes"),
            Self::Switch => out.write_str("write true or false, without quotes"),
            Self::DetourPort => {
                let ports = network::DETOUR_PORTS.map(|port| port.to_string()).join(", ");
                write!(out, "only these ports can be led elsewhere: {ports}; write one of them, without quotes")
            }
            Self::Text => out.write_str("write a text in quotes"),
            Self::HeaderText => out.write_str("write a URL or a mail address in printable ASCII, as it goes into a header"),
            Self::Texts => out.write_str("write a list of texts, such as [\"one\", \"two\"]"),
            Self::Tables => out.write_str("write a list of tables, such as [{ key = \"value\" }]"),
            Self::Table => out.write_str("write a table under a heading in brackets"),
            Self::Secret => out
                .write_str("secrets are not written here: write { file = \"PATH\" }, { credential = \"NAME\" } or { env = \"VARIABLE\" }"),
        }
    }
}

/// The names of a struct's fields, as serde has them.
pub(super) fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // the error is how the deserializer ends once it has the names
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(value::Error::custom("only the names are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom("only a struct has names"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clients::ClientTable;

    const EXAMPLE: &str = include_str!("../../config/autodiscover-audit.toml");

    /// Keys that are commented out are written `#key = value`, headings `#[table]`; prose has a space after its `#`.
    fn uncommented() -> String {
        let uncomment = |line: &'static str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|character: char| character.is_ascii_lowercase() || character == '[') => rest,
            _ => line,
        };
        EXAMPLE.lines().map(uncomment).collect::<Vec<_>>().join("\n")
    }

    fn collect(path: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
        for (key, value) in table {
            let name = if path.is_empty() { key.clone() } else { format!("{}.{key}", in_rules(path)) };
            match value {
                // channels have names of their own, and a secret is the place where it is
                toml::Value::Table(_) if name == "channel" => {}
                toml::Value::Table(place) if ["credential", "file"].iter().any(|place_of| place.contains_key(*place_of)) => {}
                toml::Value::Table(inner) => collect(&name, inner, keys),
                toml::Value::Array(values) => values.iter().filter_map(toml::Value::as_table).for_each(|inner| collect(&name, inner, keys)),
                _ => {}
            }
            keys.insert(name);
        }
    }

    fn known<'a>(keys_of: impl Fn(&str) -> Vec<&'a str>) -> BTreeSet<String> {
        let name = |table: &str, key: &str| if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
        RULES.iter().flat_map(|(table, _)| keys_of(table).into_iter().map(|key| name(table, key)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn the_example_says_what_is_watched_by_default() {
        let mut example: toml::Table = uncommented().parse().unwrap();
        assert_eq!(example.remove("audit").unwrap().try_into::<AuditSettings>().unwrap(), AuditSettings::default());
    }

    #[test]
    fn the_example_the_rules_and_the_code_have_the_same_keys() {
        let mut example = BTreeSet::new();
        collect("", &uncommented().parse().unwrap_or_else(|error| panic!("the example is no TOML: {error}")), &mut example);
        let code = known(|table| keys(table).to_vec());
        let rules = known(|table| {
            RULES.iter().filter(|(name, _)| *name == table).flat_map(|(_, rules)| rules.iter().map(|(key, _)| *key)).collect()
        });
        let difference = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
        assert_eq!(difference(&code, &example), [""; 0], "in code, not in config/autodiscover-audit.toml");
        assert_eq!(difference(&example, &code), [""; 0], "in config/autodiscover-audit.toml, not in code");
        assert_eq!(difference(&code, &rules), [""; 0], "in code, without a rule");
        assert_eq!(difference(&rules, &code), [""; 0], "a rule without a key");
    }

    #[test]
    fn the_example_has_every_kind_of_lookup_with_every_key_and_its_default() {
        let example: toml::Table = uncommented().parse().unwrap();
        for kind in Paces::kinds() {
            let table = example["lookups"][kind.as_str()].as_table().unwrap();
            let pace = network::Pace::of(kind);
            let of = |key: &str| table.get(key).unwrap_or_else(|| panic!("{kind} lacks {key}")).to_string();
            let shown = [of("enabled"), of("concurrency"), of("requests_per_second")];
            assert_eq!(
                shown,
                [pace.enabled.to_string(), pace.concurrency.to_string(), format!("{:?}", pace.requests_per_second)],
                "{kind}"
            );
        }
    }

    #[test]
    fn the_example_has_every_kind_of_channel_with_every_key() {
        let example: toml::Table = uncommented().parse().unwrap();
        let channels: Vec<&toml::Table> = example["channel"].as_table().unwrap().values().filter_map(toml::Value::as_table).collect();
        for (kind, keys) in super::super::channel::keys_by_kind() {
            let of_kind = || channels.iter().filter(|channel| channel["kind"].as_str() == Some(kind));
            // `http` is the same for all, and told at their head
            for key in keys.iter().filter(|key| **key != "http") {
                assert!(of_kind().any(|channel| channel.contains_key(*key)), "{kind}: {key}");
            }
        }
        for key in field_names::<network::OutboundSettings>() {
            assert!(EXAMPLE.contains(&format!("#   {key} ")), "{key}");
        }
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example: toml::Table = uncommented().parse().unwrap_or_default();
        let numbers = |table: &str| -> toml::Table {
            let table = example.get(table).and_then(toml::Value::as_table).cloned().unwrap_or_default();
            table.into_iter().filter(|(_, value)| value.is_integer()).collect()
        };
        let network: network::Settings = numbers("network").try_into().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{network:?}"), format!("{:?}", network::Settings::default()));
        let audit: AuditSettings = numbers("audit").try_into().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(audit, AuditSettings::default());
        let alerts: AlertSettings = numbers("alerts").try_into().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(alerts, AlertSettings::default());
        let schedule: ScheduleSettings = example["schedule"].clone().try_into().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(schedule, ScheduleSettings::default());
        let clients = example["tenant"][0]["clients"].as_array().unwrap();
        let clients: Vec<&str> = clients.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(clients, ClientTable::built_in().unwrap().audited_by_default());
    }

    #[test]
    fn the_example_loads_as_it_is_and_with_every_key() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let certificate = include_str!("../../tests/fixtures/config/files/good.pem");
        let endpoints = include_str!("../../config/endpoints.toml");
        let files =
            [("contoso.csv", ""), ("fabrikam.csv", ""), ("ca.pem", certificate), ("clients.toml", ""), ("endpoints.toml", endpoints)];
        for (file, content) in files {
            std::fs::write(folder.path().join(file), content)?;
        }
        for text in [EXAMPLE.to_owned(), uncommented()] {
            let path = folder.path().join("autodiscover-audit.toml");
            std::fs::write(&path, text)?;
            let config = super::super::Config::load(&path, &ClientTable::built_in().unwrap().names());
            assert!(config.is_ok(), "{}", config.err().map(|errors| errors.to_string()).unwrap_or_default());
        }
        Ok(())
    }
}
