//! Mail clients: how each one looks its servers up, and which parser it has. Answers in, the settings that the client would
//! end with out. Knows no network: what has to be asked comes out as lookups, and is asked elsewhere.

mod android;
mod autodetect;
mod autodiscover;
mod built_in;
mod database;
mod delta;
mod describe;
mod dialect;
mod evolution;
mod fairemail;
mod geary;
mod gnome;
mod guess;
mod jmap;
mod kmail;
mod mailspring;
mod mobilesync;
mod nextcloud;
mod offer;
mod outlook;
mod pacc;
mod pattern;
mod pox;
mod reduction;
mod row;
mod search;
mod snappymail;
mod srv;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod thunderbird;
mod tolerant;
mod v2;

pub use built_in::Provider;
pub use database::IspDatabase;
pub use describe::{Description, Stage};
pub use offer::Offer;
pub use pattern::Pattern;
pub use reduction::Reduction;
pub use row::{Client, Dialect, MailService, Method, MxOrder, Needs, OnFailure, Onward, Redirect, Standing, Step, Way as AutodiscoverWay};
pub use search::search;
pub use table::{ClientTable, ClientTableError};
pub use v2::{V2End, V2Way, settle_v2};
