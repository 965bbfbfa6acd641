//! The vocabulary. Owns what the words of the project mean as types; knows no I/O, no async, no clock.

mod address;
mod answer;
mod class;
mod discovery;
mod document;
mod domain;
mod hosting;
mod incident;
mod lookup;
mod mailbox;
mod notice;
mod server;
mod verdict;
mod words;

pub use address::{Address, AddressError};
pub use answer::{Answer, AnswerOutcome, Hop, HttpDocument, MxRecord, Obstacle, Reply, SrvRecord, is_xml_content_type};
pub use class::Class;
pub use discovery::{Assumption, Discovery, Readings, Search, Subject, Trouble, Way, Win};
pub use document::{Autoconfig, AutoconfigServer, Document, Pox, PoxError, PoxProtocol, Reading};
pub use domain::{Domain, DomainError, is_public_suffix, is_within, normalise_host, registrable};
pub use hosting::{Cloud, Hosting, HostingError};
pub use incident::{Account, Acknowledgement, Concern, Exemption, Incident, IncidentId, IncidentState, Severity};
pub use lookup::{Lookup, LookupKind, Request};
pub use mailbox::{Mailbox, Person, Profile, Protocols, Tenant, TenantId, TenantIdError};
pub use notice::{Change, Event, Notice, Numbers};
pub use server::{EMAIL_ADDRESS, EMAIL_ADDRESS_IN_URL, EMAIL_DOMAIN, EMAIL_LOCAL_PART, Protocol, Security, Server, Settings, expand};
pub use verdict::{Cause, ClientOutcome, Next, Outcome, Source, Verdict};
pub use words::{counted, is_hidden, visible, visible_lines};
