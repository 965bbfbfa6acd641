//! The names of the fake internet, answered as a recursive resolver would (RFC 1034, RFC 4592).

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
};

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};

/// A record; names are lower case without the final dot, `.` is the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Cname(String),
    Ns(String),
    Mx { preference: u16, exchange: String },
    Srv { priority: u16, weight: u16, port: u16, target: String },
    Txt(String),
}

impl Data {
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Cname(_) => RecordType::CNAME,
            Self::Ns(_) => RecordType::NS,
            Self::Mx { .. } => RecordType::MX,
            Self::Srv { .. } => RecordType::SRV,
            Self::Txt(_) => RecordType::TXT,
        }
    }
}

/// What the DNS server does wrong for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    ServFail,
    Refused,
    /// Says nothing.
    Drop,
    /// Answers cut short over UDP, whole over TCP.
    Truncated,
}

/// All names.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    records: HashMap<String, Vec<Data>>,
    /// Names that exist because a name below them does.
    parents: HashSet<String>,
    /// `None` is every type.
    troubles: HashMap<String, Vec<(Option<RecordType>, Trouble)>>,
}

/// What is answered to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneAnswer {
    pub code: ResponseCode,
    pub records: Vec<(String, Data)>,
    pub trouble: Option<Trouble>,
}

impl Zones {
    /// Adds a record; `*.name` is a wildcard.
    pub fn add(&mut self, name: &str, data: Data) {
        let name = name.to_ascii_lowercase();
        let mut rest = name.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            self.parents.insert(parent.to_owned());
            rest = parent;
        }
        self.records.entry(name).or_default().push(data);
    }

    /// Makes a name exist without records.
    pub fn exists(&mut self, name: &str) {
        self.records.entry(name.to_ascii_lowercase()).or_default();
    }

    /// Makes the server misbehave for a name, in one type or in all.
    pub fn trouble(&mut self, name: &str, kind: Option<RecordType>, trouble: Trouble) {
        self.troubles.entry(name.to_ascii_lowercase()).or_default().push((kind, trouble));
    }

    /// Makes the server misbehave for every name.
    pub fn trouble_all(&mut self, trouble: Trouble) {
        self.trouble("*", None, trouble);
    }

    /// Whether the name has a record of its own.
    pub fn has(&self, name: &str) -> bool {
        self.records.contains_key(name)
    }

    /// The answer to a question, CNAMEs followed.
    pub fn answer(&self, name: &str, kind: RecordType) -> ZoneAnswer {
        let mut records = Vec::new();
        let mut name = name.to_ascii_lowercase();
        let mut trouble = None;
        loop {
            trouble = trouble.or_else(|| self.trouble_of(&name, kind));
            let Some(node) = self.node(&name) else {
                let code = if self.parents.contains(&name) { ResponseCode::NoError } else { ResponseCode::NXDomain };
                return ZoneAnswer { code, records, trouble };
            };
            let matching = node.iter().filter(|data| data.kind() == kind);
            let before = records.len();
            records.extend(matching.map(|data| (name.clone(), data.clone())));
            let alias = node.iter().find_map(|data| if let Data::Cname(target) = data { Some(target) } else { None });
            let Some(target) = alias.filter(|_| records.len() == before) else {
                return ZoneAnswer { code: ResponseCode::NoError, records, trouble };
            };
            let circle = records.iter().any(|(owner, _)| *owner == name);
            if circle {
                return ZoneAnswer { code: ResponseCode::NoError, records, trouble };
            }
            let owner = std::mem::replace(&mut name, target.clone());
            records.push((owner, Data::Cname(target.clone())));
        }
    }

    /// The names that a name is an alias for, itself first.
    pub fn aliases(&self, name: &str) -> Vec<String> {
        let mut names = vec![name.to_owned()];
        for (_, data) in self.answer(name, RecordType::A).records {
            if let Data::Cname(target) = data {
                names.push(target);
            }
        }
        names
    }

    fn node(&self, name: &str) -> Option<&Vec<Data>> {
        if let Some(node) = self.records.get(name) {
            return Some(node);
        }
        if self.parents.contains(name) {
            return None;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(node) = self.records.get(&format!("*.{parent}")) {
                return Some(node);
            }
            if self.records.contains_key(parent) || self.parents.contains(parent) {
                return None;
            }
            rest = parent;
        }
        None
    }

    fn trouble_of(&self, name: &str, kind: RecordType) -> Option<Trouble> {
        let known = self.troubles.get(name).or_else(|| self.troubles.get("*"))?;
        known.iter().find(|(only, _)| only.is_none_or(|only| only == kind)).map(|(_, trouble)| *trouble)
    }
}
