//! The vocabulary. Owns what the words of the project mean as types; knows no I/O, no async, no clock.

mod address;
mod answer;
mod class;
mod cloud_host;
mod discovery;
mod discretion;
mod document;
mod domain;
mod home;
mod hosting;
mod incident;
mod intake;
mod lookup;
mod mailbox;
mod microsoft;
mod notice;
mod pacc;
mod place;
mod realm;
mod server;
mod user_settings;
mod verdict;
mod words;

pub use address::{Address, AddressError};
pub use answer::{Answer, AnswerOutcome, Hop, HttpDocument, MxRecord, Obstacle, Reply, SrvRecord, is_xml_content_type};
pub use class::Class;
pub use cloud_host::{exchange_cloud, exchange_host, graph_cloud, sign_in_cloud};
pub use discovery::{Assumption, Discovery, Guarded, Readings, Search, Subject, Trouble, Way, Win};
pub use document::{Autoconfig, AutoconfigServer, Document, OwaUrl, Pox, PoxError, PoxProtocol, Reading};
pub use domain::{Domain, DomainError, is_public_suffix, is_within, normalise_host, registrable};
pub use home::{Authority, Claim};
pub use hosting::{Cloud, Hosting, HostingError};
pub use incident::{Account, Acknowledgement, Concern, Exemption, Incident, IncidentId, IncidentState, Severity};
pub use intake::{Intake, Publication};
pub use lookup::{Lookup, LookupKind, Message, Request};
pub use mailbox::{Mailbox, Person, Profile, Protocols, Tenant, TenantId, TenantIdError};
pub use microsoft::{
    AutoDetect, AutoDetectAnswer, AutoDetectEvidence, AutoDetectProtocol, AutoDetectService, AutodiscoverV2, Capabilities, MobileSync,
    MobileSyncAction, MobileSyncError, MobileSyncServer, ProviderRow, V2Code, V2Endpoint, V2Protocol, V2Refusal,
};
pub use notice::{Change, Event, Notice, Numbers};
pub use pacc::{DigestCheck, JmapSession, Pacc, PaccDigest, PaccDigests, PaccEndpoint};
pub use place::{AUTODETECT_URL, jmap_url, pacc_digest_name, pacc_url, v2_path_url, v2_url};
pub use realm::{CredentialType, Directory, Existence, Namespace, OpenIdAnswer, OpenIdRefusal, Realm};
pub use server::{EMAIL_ADDRESS, EMAIL_ADDRESS_IN_URL, EMAIL_DOMAIN, EMAIL_LOCAL_PART, Protocol, Security, Server, Settings, expand};
pub use user_settings::{
    ProtocolConnection, SettingError, SettingValue, SoapAnswer, SoapCode, SoapFault, UserAnswer, UserSetting, UserSettings, WebClientUrl,
};
pub use verdict::{Cause, ClientOutcome, Next, Outcome, Source, Verdict};
pub use words::{counted, grouped, is_hidden, visible, visible_lines, with_causes};
