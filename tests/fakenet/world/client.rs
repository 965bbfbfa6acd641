//! The mail clients by name, and by what they make of a document.

pub const THUNDERBIRD: &str = "thunderbird";
pub const THUNDERBIRD_72: &str = "thunderbird-72";
pub const BASE: &str = "mx-base-domain";
pub const SRV: &str = "srv";
pub const EVOLUTION: &str = "evolution";
pub const KMAIL: &str = "kmail";
pub const GNOME: &str = "gnome-online-accounts";
pub const ANDROID: &str = "thunderbird-android";
pub const GEARY: &str = "geary";
pub const NEXTCLOUD: &str = "nextcloud-mail";
pub const HIMALAYA: &str = "himalaya";
pub const DELTA: &str = "delta-chat";

/// Clients that ask for a `config-v1.1.xml` and read IMAP, POP3 and SMTP out of it (`clients-and-standards.md` section 2.3).
pub const WHOLE: &[&str] = &[THUNDERBIRD, THUNDERBIRD_72, BASE, EVOLUTION, KMAIL, HIMALAYA];
/// Those that take IMAP and SMTP alone.
pub const PAIR: &[&str] = &[ANDROID, GNOME, GEARY, NEXTCLOUD, DELTA];
