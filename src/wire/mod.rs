//! The formats: bytes in, documents of `model` out, and the request bodies that are sent.
//!
//! Owns how `config-v1.1.xml` (draft-ietf-mailmaint-autoconfig), Autodiscover in all its forms (plain old XML: MS-OXDSCLI, MS-ASCMD;
//! SOAP: MS-OXWSADISC; JSON), AutoDetect, PACC (draft-ietf-mailmaint-pacc), the JMAP session (RFC 8620) and the answers of Microsoft's
//! sign-in service are read: tolerantly, with a mark where a strict parser would not read the same. Knows neither who asked nor why,
//! and no I/O. Every body is read or refused with a named reason, a [`Fault`]; DTD entities are never expanded.

mod autoconfig;
mod autodetect;
mod autodiscover_v2;
mod base64;
mod capability;
mod charset;
mod element;
mod fault;
mod http_answer;
mod jmap;
mod json;
mod mobilesync;
mod pacc;
mod pox;
mod reading;
mod realm;
mod request;
mod soap;
mod wellformed;
mod xml;

pub use autoconfig::parse_autoconfig;
pub use autodetect::{AUTODETECT_ADDRESS_HEADER, parse_autodetect};
pub use autodiscover_v2::parse_autodiscover_v2;
pub use capability::read_capabilities;
pub use fault::Fault;
pub use http_answer::HttpAnswer;
pub use jmap::parse_jmap;
pub use mobilesync::{mobilesync_request, moved_activesync, parse_mobilesync};
pub use pacc::{parse_pacc, parse_pacc_digests};
pub use pox::parse_pox;
pub use reading::read;
pub use realm::{credential_type_request, openid_url, parse_credential_type, parse_openid, parse_realm, realm_url};
pub use request::pox_request;
pub use soap::{USER_SETTINGS, USER_SETTINGS_ACTION, parse_user_settings, user_settings_answer, user_settings_request};
