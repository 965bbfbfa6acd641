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
pub const FAIREMAIL: &str = "fairemail";
pub const SNAPPYMAIL: &str = "snappymail";
pub const MAILCORE: &str = "mailcore";
pub const MAILSPRING_365: &str = "mailspring-microsoft-365";
pub const AOSP: &str = "aosp-email";
pub const OUTLOOK: &str = "outlook-classic";
pub const OUTLOOK_NEW: &str = "outlook-new";
pub const ACTIVESYNC: &str = "activesync";
pub const APPLE: &str = "apple-mail";
pub const PACC: &str = "pacc";
pub const JMAP: &str = "jmap";
pub const DRAFT: &str = "autoconfig-draft";

/// Clients that ask for a `config-v1.1.xml` and read IMAP, POP3 and SMTP out of it (`clients-and-standards.md` section 2.3).
pub const WHOLE: &[&str] = &[THUNDERBIRD, THUNDERBIRD_72, BASE, EVOLUTION, KMAIL, DRAFT];
/// Those that take IMAP and SMTP alone.
pub const PAIR: &[&str] = &[ANDROID, GNOME, GEARY, NEXTCLOUD, HIMALAYA, DELTA, FAIREMAIL, SNAPPYMAIL, MAILCORE];
