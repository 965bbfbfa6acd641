//! The formats: bytes in, documents of `model` out, and the one request body that is sent.
//!
//! Owns how `config-v1.1.xml` (draft-ietf-mailmaint-autoconfig) and Autodiscover's plain old XML (MS-OXDSCLI, MS-ASCMD) are
//! read: tolerantly, with a mark where a strict parser would not read the same. Knows neither who asked nor why, and no I/O.
//! Every body is read or refused with a named reason, a [`Fault`]; DTD entities are never expanded.

mod autoconfig;
mod charset;
mod element;
mod fault;
mod pox;
mod reading;
mod request;
mod wellformed;
mod xml;

pub use autoconfig::parse_autoconfig;
pub use fault::Fault;
pub use pox::parse_pox;
pub use reading::read;
pub use request::pox_request;
