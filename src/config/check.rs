//! Reads one table key by key, so that one wrong value hides no other.

use std::{ops::Range, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Deserializer},
};

use super::{error::Fault, rule, suggest::nearest};

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// What is wrong in another file: the line, from 1, where it is about one; what is wrong, and what to do.
pub(super) type LineFault = (Option<usize>, String);

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

impl Faults {
    pub(super) fn add(&mut self, span: Option<Range<usize>>, key: &str, problem: String) {
        self.0.push((span, key.to_owned(), problem));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<Fault> {
        self.0
    }

    /// A file that must be there; `false` where it is not.
    pub(super) fn check_file(&mut self, span: Range<usize>, key: &str, path: &Path) -> bool {
        let problem = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => format!("`{}` is a directory; name the file in it", path.display()),
            Ok(_) => return true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("`{}` does not exist; correct the path, which starts at the configuration file", path.display())
            }
            Err(error) => {
                format!("`{}` cannot be read: {error}; check who may read it", path.display())
            }
        };
        self.add(Some(span), key, problem);
        false
    }

    /// A file that must be there, and hold what `check` asks for: it tells each line that is wrong, and what to do.
    pub(super) fn check_content(&mut self, (span, key): (Range<usize>, &str), path: &Path, check: impl FnOnce(&[u8]) -> Vec<LineFault>) {
        if !self.check_file(span.clone(), key, path) {
            return;
        }
        match std::fs::read(path) {
            Ok(content) => {
                for (line, problem) in check(&content) {
                    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
                    self.add(Some(span.clone()), key, format!("`{}{line}`: {problem}", path.display()));
                }
            }
            Err(error) => self.add(Some(span), key, format!("`{}` cannot be read: {error}; check who may read it", path.display())),
        }
    }

    /// Reads a table whose keys are all optional. What is wrong is noted and left at its default.
    pub(super) fn section<T: DeserializeOwned + Default>(&mut self, name: &str, table: DeTable) -> T {
        let mut good = DeTable::new();
        for (key, value) in table {
            let value = self.good_part::<T>(name, &key, value);
            if let Some(value) = value {
                good.insert(key, value);
            }
        }
        deserialize(good).unwrap_or_else(|error| {
            self.add(error.span(), name, error.message().to_owned());
            T::default()
        })
    }

    /// What of a value can be used: of a list, the good elements.
    fn good_part<'i, T: DeserializeOwned>(&mut self, table: &str, key: &Key<'i>, value: Value<'i>) -> Option<Value<'i>> {
        let name = join(table, key.get_ref());
        if !rule::keys(table).contains(&key.get_ref().as_ref()) {
            self.add(Some(key.span()), &name, unknown_key(table, key.get_ref()));
            return None;
        }
        if let Some(rule) = rule::find(table, key.get_ref())
            && !rule.accepts(value.get_ref())
        {
            self.add(Some(value.span()), &name, not_possible(value.get_ref(), rule));
            return None;
        }
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(values) => {
                let good = values.into_iter().filter_map(|element| self.good_element::<T>(&name, key, element)).collect();
                Some(Spanned::new(span, DeValue::Array(good)))
            }
            other => {
                let value = Spanned::new(span, other);
                self.try_alone::<T>(&name, key, value.clone()).then_some(value)
            }
        }
    }

    fn good_element<'i, T: DeserializeOwned>(&mut self, name: &str, key: &Key<'i>, mut element: Value<'i>) -> Option<Value<'i>> {
        let is_usable = match element.get_mut() {
            DeValue::Table(inner) => self.check_keys(name, inner),
            _ => true,
        };
        let alone = DeValue::Array(std::iter::once(element.clone()).collect());
        (is_usable && self.try_alone::<T>(name, key, Spanned::new(element.span(), alone))).then_some(element)
    }

    fn try_alone<'i, T: DeserializeOwned>(&mut self, name: &str, key: &Key<'i>, value: Value<'i>) -> bool {
        let whole = value.span();
        let shown = match value.get_ref() {
            DeValue::Array(values) => values.iter().next().map(|element| element.get_ref().clone()),
            other => Some(other.clone()),
        };
        let result = deserialize::<T>(std::iter::once((key.clone(), value)).collect());
        if let Err(error) = &result {
            let problem = match (shown, rule::advice(name)) {
                (Some(DeValue::Table(_)), Some(advice)) => format!("{}; {advice}", error.message()),
                (Some(value), Some(advice)) => format!("{} is not possible here; {advice}", describe(&value)),
                _ => error.message().to_owned(),
            };
            self.add(Some(error.span().unwrap_or(whole)), name, problem);
        }
        result.is_ok()
    }

    /// Checks a table within a list: takes out unknown keys; `false` where a value is of no use.
    fn check_keys(&mut self, name: &str, table: &mut DeTable) -> bool {
        let mut good = true;
        for (key, value) in std::mem::take(table) {
            if !rule::keys(name).contains(&key.get_ref().as_ref()) {
                self.add(Some(key.span()), &join(name, key.get_ref()), unknown_key(name, key.get_ref()));
                continue;
            }
            if let Some(rule) = rule::find(name, key.get_ref())
                && !rule.accepts(value.get_ref())
            {
                self.add(Some(value.span()), &join(name, key.get_ref()), not_possible(value.get_ref(), rule));
                good = false;
            }
            table.insert(key, value);
        }
        good
    }
}

/// The table that a value is, or a fault.
pub(super) fn table_of<'i>(value: Value<'i>, name: &str, faults: &mut Faults) -> Option<DeTable<'i>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Some(table),
        other => {
            faults.add(Some(span), name, format!("{} is not possible here; write {}", describe(&other), heading(name)));
            None
        }
    }
}

/// The tables of a list, each with its place, and faults for what is none.
pub(super) fn entries_of<'i>(value: Value<'i>, name: &str, faults: &mut Faults) -> Vec<(DeTable<'i>, Range<usize>)> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(values) => values
            .into_iter()
            .filter_map(|value| {
                let span = value.span();
                table_of(value, name, faults).map(|table| (table, span))
            })
            .collect(),
        DeValue::Table(table) => {
            faults.add(Some(span.clone()), name, format!("there can be several; write its heading as {}", heading(name)));
            vec![(table, span)]
        }
        other => {
            faults.add(Some(span), name, format!("{} is not possible here; write {}", describe(&other), heading(name)));
            Vec::new()
        }
    }
}

pub(super) fn deserialize<T: DeserializeOwned>(table: DeTable) -> Result<T, toml::de::Error> {
    T::deserialize(Deserializer::from(Spanned::new(0..0, table)))
}

fn join(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

fn heading(table: &str) -> String {
    match table {
        "" => "the top of the file, above all headings".to_owned(),
        "tenant" | "network.connect_to" | "tenant.manual_settings" | "route" => format!("`[[{table}]]`"),
        other => format!("`[{other}]`"),
    }
}

fn unknown_key(table: &str, key: &str) -> String {
    let elsewhere: Vec<String> = rule::tables_with(key).map(heading).collect();
    if !elsewhere.is_empty() {
        return format!("this key does not stand here; move it to {}", elsewhere.join(" or "));
    }
    match nearest(key, rule::keys(table).iter().copied()) {
        Some(word) => format!("there is no such key; did you mean `{word}`?"),
        None => format!("there is no such key; the keys here are {}", rule::keys(table).join(", ")),
    }
}

fn not_possible(value: &DeValue, rule: rule::Rule) -> String {
    // it may be a secret that was written in the wrong place
    let shown = if rule == rule::Rule::Secret { "this".to_owned() } else { describe(value) };
    format!("{shown} is not possible here; {rule}")
}

/// A value in a message.
fn describe(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => format!("`\"{}\"`", text.chars().take(60).collect::<String>().escape_debug()),
        DeValue::Integer(number) => format!("`{number}`"),
        DeValue::Float(number) => format!("`{number}`"),
        DeValue::Boolean(switch) => format!("`{switch}`"),
        DeValue::Datetime(time) => format!("`{time}`"),
        DeValue::Array(values) if values.iter().all(|value| value.get_ref().is_str()) => "a list of texts".to_owned(),
        DeValue::Array(_) => "this list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
