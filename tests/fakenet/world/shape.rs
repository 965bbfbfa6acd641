//! What every client ends with in the domains of one shape, worked out from `clients-and-standards.md` (sections 1, 2.3, 3.4, 5 and 8.7)
//! and the sources that it names. A domain of a shape names it, and says for itself only what is odd about it.
//!
//! `KMail`, Geary and Delta Chat do not look at the MX. GNOME Online Accounts and Himalaya reduce it to its base, which is the consumer
//! service's for Exchange Online. Evolution asks for the next shorter name only where the database says 404, so that an outage leads
//! it nowhere. Who asks `https://autodiscover.D` where that is an alias of Exchange Online's gets a certificate for another name, and
//! only Thunderbird goes by plain http as well.

use autodiscover_audit::model::Cause::{
    IspdbEntry, MxBaseDomain, MxConsumer, MxLegacy, MxProvider, NothingPublished, OwnAutoconfigStale, OwnWellKnownStale, UnusableDocument,
};

use super::{
    client::{
        ANDROID, BASE, DELTA, DRAFT, EVOLUTION, FAIREMAIL, GEARY, GNOME, HIMALAYA, KMAIL, MAILCORE, NEXTCLOUD, PAIR, SNAPPYMAIL,
        THUNDERBIRD, THUNDERBIRD_72, WHOLE,
    },
    expected::{
        EXCHANGE, EXO, EXO_ENTRY, EXO_PAIR, HOSTER, HOSTER_PAIR, HOTMAIL, HOTMAIL_2014, HOTMAIL_2014_PAIR, HOTMAIL_PAIR, NONE, Should,
        consumer, foreign, nothing, ok, unsure,
    },
};

/// Clients, and what they end with.
pub type Shape = &'static [(&'static [&'static str], Should)];

/// Nothing of its own, Exchange Online's MX, `autodiscover` an alias of Exchange Online's. Who takes a label off the MX finds the
/// database's business entry (M3), who takes the base finds the consumer's (M1).
pub const STANDARD: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, DRAFT], ok(EXO_ENTRY).fragile(MxBaseDomain)),
    (&[ANDROID, NEXTCLOUD], ok(EXO_PAIR).fragile(MxBaseDomain)),
    (&[EVOLUTION], ok(EXO)),
    (&[BASE], consumer(MxBaseDomain, HOTMAIL)),
    (&[GNOME, HIMALAYA], consumer(MxBaseDomain, HOTMAIL_PAIR)),
    (&[KMAIL, GEARY, MAILCORE], nothing(NothingPublished)),
    (&[DELTA, SNAPPYMAIL], nothing(UnusableDocument)),
];

/// On top of [`STANDARD`]: without Autodiscover.
pub const BARE: Shape = &[(&[DELTA, SNAPPYMAIL], nothing(NothingPublished))];

/// On top of [`STANDARD`]: something is at `autoconfig.D` that every client passes over.
pub const PASSED_OVER: Shape = &[(&[KMAIL, GEARY, DELTA, MAILCORE, SNAPPYMAIL], nothing(UnusableDocument))];

/// The standard shape, but `autoconfig.D` may only have been out of reach.
pub const IN_DOUBT: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, DRAFT], unsure(EXO_ENTRY)),
    (&[ANDROID, NEXTCLOUD], unsure(EXO_PAIR)),
    (&[EVOLUTION], unsure(EXO)),
    (&[BASE], unsure(HOTMAIL)),
    (&[GNOME, HIMALAYA], unsure(HOTMAIL_PAIR)),
    (&[KMAIL, GEARY, DELTA, MAILCORE, SNAPPYMAIL], unsure(NONE)),
];

/// The MX of before 2018: one label less is no key of the database, the base is the consumer's (M2).
pub const LEGACY_MX: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, DRAFT], consumer(MxLegacy, HOTMAIL)),
    (&[ANDROID, NEXTCLOUD], consumer(MxLegacy, HOTMAIL_PAIR)),
    (&[BASE], consumer(MxBaseDomain, HOTMAIL)),
    (&[GNOME, HIMALAYA], consumer(MxBaseDomain, HOTMAIL_PAIR)),
    (&[KMAIL, GEARY, MAILCORE], nothing(NothingPublished)),
    (&[DELTA, SNAPPYMAIL], nothing(UnusableDocument)),
];

/// The consumer service's own MX.
pub const CONSUMER_MX: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, BASE, DRAFT], consumer(MxConsumer, HOTMAIL)),
    (&[ANDROID, NEXTCLOUD, GNOME, HIMALAYA], consumer(MxConsumer, HOTMAIL_PAIR)),
    (&[KMAIL, GEARY, MAILCORE], nothing(NothingPublished)),
    (&[DELTA, SNAPPYMAIL], nothing(UnusableDocument)),
];

/// The MX of a hoster that is in the database.
pub const HOSTER_MX: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, BASE, DRAFT], foreign(MxProvider, HOSTER)),
    (&[ANDROID, NEXTCLOUD, GNOME, HIMALAYA, FAIREMAIL], foreign(MxProvider, HOSTER_PAIR)),
    (&[KMAIL, GEARY, MAILCORE], nothing(NothingPublished)),
    (&[DELTA, SNAPPYMAIL], nothing(UnusableDocument)),
];

/// An MX that leads nowhere, and `autodiscover` an alias of Exchange Online's.
pub const AUTODISCOVER_ALONE: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72], ok(EXCHANGE).inferred()),
    (&[ANDROID, NEXTCLOUD, BASE, HIMALAYA, KMAIL, GEARY, DRAFT, MAILCORE], nothing(NothingPublished)),
    (&[EVOLUTION, GNOME, DELTA, FAIREMAIL, SNAPPYMAIL], nothing(UnusableDocument)),
];

/// Nothing at all.
pub const NOTHING: Shape = &[(WHOLE, nothing(NothingPublished)), (PAIR, nothing(NothingPublished))];

/// What is published is of no use to anybody.
pub const UNUSABLE: Shape = &[(WHOLE, nothing(UnusableDocument)), (PAIR, nothing(UnusableDocument))];

/// A document that is right, on both URLs over https, or the only thing that there is.
pub const GOOD: Shape = &[(WHOLE, ok(EXO)), (PAIR, ok(EXO_PAIR))];

/// The same by `https://autoconfig.D` alone; behind it stands the standard shape.
pub const GOOD_BY_AUTOCONFIG: Shape = &[
    (&[THUNDERBIRD, THUNDERBIRD_72, EVOLUTION, KMAIL, DRAFT], ok(EXO)),
    (&[ANDROID, NEXTCLOUD, GEARY, DELTA, MAILCORE], ok(EXO_PAIR)),
    (&[BASE], ok(EXO).fragile(MxBaseDomain)),
    (&[GNOME, HIMALAYA], ok(EXO_PAIR).fragile(MxBaseDomain)),
    (&[SNAPPYMAIL], nothing(UnusableDocument)),
];

/// On top of [`GOOD`]: the document is at `https://autoconfig.D/mail` alone, where `SnappyMail` does not look.
pub const PAST_SNAPPYMAIL: Shape = &[(&[SNAPPYMAIL], nothing(NothingPublished))];

/// On top of [`GOOD`]: should the document fail, a stale one at the well-known URL is next.
pub const WELL_KNOWN_NEXT: Shape = &[
    (WHOLE, ok(EXO).fragile(OwnWellKnownStale)),
    (&[ANDROID, GNOME, NEXTCLOUD, HIMALAYA, DELTA, MAILCORE], ok(EXO_PAIR).fragile(OwnWellKnownStale)),
    (&[SNAPPYMAIL], consumer(OwnWellKnownStale, HOTMAIL_2014_PAIR)),
];

/// On top of [`GOOD`]: should the document fail, a stale entry of the database is next; `KMail` asks for that first.
pub const ENTRY_NEXT: Shape = &[
    (WHOLE, ok(EXO).fragile(IspdbEntry)),
    (PAIR, ok(EXO_PAIR).fragile(IspdbEntry)),
    (&[KMAIL], consumer(IspdbEntry, HOTMAIL_2014)),
    (&[SNAPPYMAIL], consumer(IspdbEntry, HOTMAIL_2014_PAIR)),
    (&[MAILCORE], ok(EXO_PAIR)),
];

/// A document with the consumer service's hosts of 2013 to 2019 (M5).
pub const STALE: Shape = &[
    (WHOLE, consumer(OwnAutoconfigStale, HOTMAIL_2014)),
    (PAIR, consumer(OwnAutoconfigStale, HOTMAIL_2014_PAIR)),
    (&[SNAPPYMAIL], consumer(OwnWellKnownStale, HOTMAIL_2014_PAIR)),
];

/// A document with what the database says of the consumer service today.
pub const HALF_STALE: Shape = &[
    (WHOLE, consumer(OwnAutoconfigStale, HOTMAIL)),
    (PAIR, consumer(OwnAutoconfigStale, HOTMAIL_PAIR)),
    (&[SNAPPYMAIL], consumer(OwnWellKnownStale, HOTMAIL_PAIR)),
];

/// Exchange Online's document, where the mailbox does not live there.
pub const STRANGER: Shape = &[
    (WHOLE, foreign(OwnAutoconfigStale, EXO)),
    (PAIR, foreign(OwnAutoconfigStale, EXO_PAIR)),
    (&[SNAPPYMAIL], foreign(OwnWellKnownStale, EXO_PAIR)),
];
