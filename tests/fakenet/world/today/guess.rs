//! What clients find where nobody told them: hosts that they make from the domain, tables of their own, ids that they know.

use autodiscover_audit::model::{
    Cause, Hosting,
    Protocol::{Imap, Smtp},
    Security::{Plain, StartTls, Tls as FromTheStart},
    Verdict,
};

use super::super::{
    builder::Builder,
    client::{AOSP, DELTA, FAIREMAIL, GEARY, MAILCORE, NEXTCLOUD, SNAPPYMAIL, THUNDERBIRD, THUNDERBIRD_72},
    expected::{AOSP_HOTMAIL, EXO_PAIR, HOTMAIL_2014_PAIR, NONE, Servers, bad, consumer, foreign, nothing, ok, unsure},
    shape::{BARE, LEGACY_MX, NOTHING, STANDARD},
};
use crate::fakenet::{
    mail::Mail,
    site::{Site, Tls},
};

/// Mail servers at names that clients try.
pub fn hosts(world: &mut Builder) {
    let guessed = |servers| foreign(Cause::GuessedHost, servers);
    let imap = || Mail::new(FromTheStart, "* OK ready");
    let smtp = || Mail::new(FromTheStart, "220 ready ESMTP");
    // M21: `mail.D` is the former hoster's still. Geary and Mailspring try other names.
    let name = "guess-mail.example";
    world.net.mail(&format!("mail.{name}"), 993, imap());
    world.net.mail(&format!("mail.{name}"), 465, smtp());
    let domain = world.domain(name).new_mx().manual().shape(NOTHING);
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72, DELTA, FAIREMAIL], guessed(MAIL));
    // `imap.D` and `smtp.D`, which all of them try.
    let name = "guess-imap.example";
    world.net.mail(&format!("imap.{name}"), 993, imap());
    world.net.mail(&format!("smtp.{name}"), 465, smtp());
    let domain = world.domain(name).new_mx().manual().shape(NOTHING);
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72, DELTA, FAIREMAIL, GEARY, MAILCORE], guessed(IMAP_SMTP));
    // A certificate for other names. FairEmail connects all the same, and may take one of those names instead.
    let name = "guess-other-name.example";
    world.net.host(&format!("mail.{name}"), Site::empty().tls(Tls::Names(vec!["www.hoster.example".into()])));
    world.net.mail(&format!("mail.{name}"), 993, imap());
    world.net.mail(&format!("mail.{name}"), 465, smtp());
    let domain = world.domain(name).new_mx().manual().shape(NOTHING).open(&[FAIREMAIL]);
    domain.obstacle("mail.{d}:993", "certificate-name");
    // A name that is there, where nobody listens; a server that is none of mail's; one that turns everybody away.
    let domain = world.domain("guess-refused.example").new_mx().address("mail", [127, 0, 0, 1]).manual().shape(NOTHING);
    domain.obstacle("mail.{d}:993", "connection-refused");
    let name = "guess-no-mail.example";
    world.net.mail(&format!("mail.{name}"), 993, Mail::new(FromTheStart, "SSH-2.0-dropbear"));
    let domain = world.domain(name).new_mx().manual().shape(NOTHING).open(&[FAIREMAIL]);
    domain.obstacle("mail.{d}:993", "not-mail");
    let name = "guess-busy.example";
    world.net.mail(&format!("mail.{name}"), 993, imap());
    world.net.mail(&format!("mail.{name}"), 465, Mail::new(FromTheStart, "554 not from there"));
    let domain = world.domain(name).new_mx().shape(NOTHING).by(&[THUNDERBIRD, THUNDERBIRD_72, DELTA], unsure(NONE)).open(&[FAIREMAIL]);
    domain.obstacle("mail.{d}:465", "turned-away");
    // Nothing is encrypted.
    let name = "guess-plain.example";
    world.net.mail(&format!("mail.{name}"), 143, Mail::new(Plain, "* OK ready"));
    world.net.mail(&format!("mail.{name}"), 587, Mail::new(Plain, "220 ready ESMTP"));
    let domain = world.domain(name).new_mx().manual().shape(NOTHING).by(&[THUNDERBIRD, THUNDERBIRD_72], guessed(MAIL));
    domain.open(&[FAIREMAIL]).obstacle("mail.{d}:143", "no-start-tls");
}

/// The same at an organisation with servers of its own, which are right.
pub fn own_hosts(world: &mut Builder) {
    assert_eq!(world.last_tenant().hosting, Hosting::OnPremises);
    let name = "works-guessed.example";
    world.net.mail(&format!("mail.{name}"), 143, Mail::new(StartTls, "* OK ready"));
    world.net.mail(&format!("mail.{name}"), 993, Mail::new(FromTheStart, "* OK ready"));
    world.net.mail(&format!("mail.{name}"), 465, Mail::new(FromTheStart, "220 ready ESMTP"));
    let domain = world.domain(name).mx(10, "mail.{d}").shape(NOTHING);
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72, DELTA, FAIREMAIL, NEXTCLOUD], ok(MAIL));
    let name = "works-plain.example";
    world.net.mail(&format!("mail.{name}"), 143, Mail::new(Plain, "* OK ready"));
    world.net.mail(&format!("mail.{name}"), 587, Mail::new(Plain, "220 ready ESMTP"));
    let domain = world.domain(name).mx(10, "mail.{d}").manual().shape(NOTHING);
    let insecure = bad(Verdict::Insecure, Cause::NoEncryption, MAIL);
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72], insecure).open(&[FAIREMAIL, NEXTCLOUD]);
    // A certificate for other names: behind STARTTLS Thunderbird does not look at it.
    let name = "works-upgrade.example";
    world.net.host(&format!("mail.{name}"), Site::empty().tls(Tls::Names(vec!["www.hoster.example".into()])));
    world.net.mail(&format!("mail.{name}"), 143, Mail::new(StartTls, "* OK ready"));
    world.net.mail(&format!("mail.{name}"), 587, Mail::new(StartTls, "220 ready ESMTP"));
    let domain = world.domain(name).mx(10, "in.{d}").shape(NOTHING).obstacle("mail.{d}:143", "certificate-name");
    domain.by(&[THUNDERBIRD, THUNDERBIRD_72], ok(MAIL)).open(&[FAIREMAIL, NEXTCLOUD]);
}

/// Names that match the tables of clients by accident (M11, M13).
pub fn tables(world: &mut Builder) {
    let aosp = consumer(Cause::BuiltInTable, AOSP_HOTMAIL);
    // `live.*.*`, `hotmail.*`, `*.live.*`: labels are counted, whoever has the domain. FairEmail takes all that begins so.
    for name in ["live.campus-town.example", "hotmail.example"] {
        world.domain(name).exo_mx().outlook().shape(STANDARD).by(&[AOSP], aosp).by_fairemail(ok(EXO_PAIR));
    }
    world.domain("post.live.example").exo_mx().shape(STANDARD).shape(BARE).by(&[AOSP], aosp);
    let domain = world.domain("msn.example").new_mx().manual().shape(NOTHING);
    domain.by(&[AOSP], aosp);
    // An MX that mailcore takes for the consumer service's.
    let domain = world.domain("mail-mx.example").mx(0, "mail-mx-example.mail.outlook.com").outlook().manual().shape(LEGACY_MX);
    domain.by(&[SNAPPYMAIL], nothing(Cause::UnusableDocument)).by(&[MAILCORE], consumer(Cause::BuiltInTable, HOTMAIL_2014_PAIR));
}

const MAIL: Servers = (&[(Imap, "mail.{d}")], &[(Smtp, "mail.{d}")]);
const IMAP_SMTP: Servers = (&[(Imap, "imap.{d}")], &[(Smtp, "smtp.{d}")]);
