//! One step of a story in words: what is asked, what it comes to, and what that means to the client.

use super::{
    Tale,
    route::{Mx, Route, Step},
    trouble,
};
use crate::model::{AnswerOutcome, Lookup, LookupKind, Obstacle, Reading, Reply, expand, registrable};

/// A step, a sentence or more.
pub(super) fn tell(tale: &Tale<'_>, route: &Route<'_>, step: &Step<'_>) -> String {
    let told = match step.lookups.as_slice() {
        // its name stands before it already
        [only] if step.kind == LookupKind::Mx => words(tale, only),
        lookups => items(tale, lookups),
    };
    let mut text = format!("{}: {told}.", lead(tale, step.kind, step.key.as_deref()));
    if step.kind == LookupKind::Mx {
        text.extend(route.mx.as_ref().filter(|_| tale.client.mx.is_some()).map(reduction));
    }
    let decides = tale.discovery.win.as_ref().is_some_and(|win| step.lookups.iter().any(|lookup| lookup.request == win.lookup.request));
    let stopped_at = tale.discovery.stopped_at.as_ref();
    if decides {
        text.push_str(" This decides.");
    } else if step.lookups.iter().any(|lookup| Some(&lookup.request) == stopped_at) {
        text.push_str(" With that answer it looks for no more documents.");
    } else if passes_over(tale, step) {
        text.push_str(" With that answer it passes over what is left of this kind.");
    }
    text
}

/// Who is asked for what, as the start of a sentence.
pub(super) fn lead(tale: &Tale<'_>, kind: LookupKind, key: Option<&str>) -> String {
    let domain = tale.address.domain().for_people();
    let key = key.unwrap_or("what the MX leads to");
    match kind {
        LookupKind::OwnAutoconfig => format!("It asks {domain} itself for an autoconfig document"),
        LookupKind::Ispdb => format!("It asks the ISP database for {domain}"),
        LookupKind::Mx => format!("It looks at the MX of {domain}"),
        LookupKind::MxAutoconfig => format!("It asks {key} for an autoconfig document"),
        LookupKind::MxIspdb => format!("It asks the ISP database for {key}"),
        LookupKind::AutodiscoverPox => "It asks Autodiscover".to_owned(),
        LookupKind::AutodiscoverSrv => "It looks for the SRV record of Autodiscover".to_owned(),
        LookupKind::Srv => "It looks for the SRV records of the mail services".to_owned(),
        LookupKind::Wildcard => "It looks for a name that nobody would create".to_owned(),
        LookupKind::AutodiscoverMobilesync => "It asks Autodiscover as phones do, for ActiveSync".to_owned(),
        LookupKind::AutodiscoverV2 => "It asks Exchange Online's Autodiscover v2".to_owned(),
        LookupKind::AutodiscoverSoap => "It asks Autodiscover's SOAP interface for the user's settings".to_owned(),
        LookupKind::Autodetect => "It asks Microsoft's AutoDetect".to_owned(),
        LookupKind::Pacc => format!("It looks for the PACC document of {domain} and its digest"),
        LookupKind::Jmap => format!("It looks for a JMAP service of {domain}"),
        LookupKind::Realm => format!("It asks Microsoft who signs in the users of {domain}"),
        LookupKind::Openid => format!("It asks Microsoft which tenant {domain} belongs to"),
        LookupKind::CredentialType => "It asks Microsoft where the account exists".to_owned(),
        LookupKind::Guess => "It guesses hosts, and tries whether a mail service answers there".to_owned(),
        LookupKind::BuiltIn => "It looks into its own table of providers".to_owned(),
    }
}

/// What was asked and what it came to, `;` between them; what came to nothing in the same way stands together.
pub(super) fn items(tale: &Tale<'_>, lookups: &[&Lookup]) -> String {
    let mut items: Vec<(Vec<String>, String)> = Vec::new();
    for lookup in lookups {
        let (asked, words) = (asked(tale, lookup), words(tale, lookup));
        let outcome = tale.readings.get(&lookup.request).map(|reading| reading.outcome);
        match items.iter_mut().find(|(_, known)| outcome == Some(AnswerOutcome::Absent) && *known == words) {
            Some((together, _)) => together.push(asked),
            None => items.push((vec![asked], words)),
        }
    }
    let told = items.into_iter().map(|(asked, words)| format!("{} -> {words}", asked.join(", ")));
    told.collect::<Vec<_>>().join("; ").trim_end_matches('.').to_owned()
}

/// What was asked, and where that led.
fn asked(tale: &Tale<'_>, lookup: &Lookup) -> String {
    let mut text = expand(&lookup.asked, tale.address);
    let Some(reading) = tale.readings.get(&lookup.request) else { return text };
    let chain = |text: &mut String, label: &str, names: &[&str]| {
        if !names.is_empty() {
            *text = format!("{text} ({label} {})", names.join(", then "));
        }
    };
    if alias_matters(reading) {
        let names: Vec<&str> = reading.answer.cnames.iter().map(String::as_str).collect();
        chain(&mut text, "an alias of", &names);
    }
    let hops: Vec<&str> = reading.answer.hops.iter().skip(1).map(|hop| hop.url.as_str()).collect();
    chain(&mut text, "redirected to", &hops);
    text
}

/// Where a host is the alias of another one's, that shows in its certificate, and in who answers.
fn alias_matters(reading: &Reading) -> bool {
    let certificate = [Obstacle::CertificateName, Obstacle::CertificateExpired, Obstacle::CertificateUntrusted, Obstacle::CertificateOther];
    let is_certificate = matches!(&reading.answer.reply, Reply::Obstacle(obstacle) if certificate.contains(obstacle));
    is_certificate || matches!(reading.outcome, AnswerOutcome::Found | AnswerOutcome::Guarded)
}

/// What a lookup came to, to this client.
fn words(tale: &Tale<'_>, lookup: &Lookup) -> String {
    let Some(reading) = tale.readings.get(&lookup.request) else { return "not asked".to_owned() };
    let assumed = if tale.overlay.answer(&lookup.request).is_some() { "as assumed, " } else { "" };
    let detail = reading.detail.trim_end_matches('.');
    let (doubt, fault) = (trouble(&tale.discovery.doubts, &lookup.request), trouble(&tale.discovery.faults, &lookup.request));
    let told = match (reading.outcome, doubt, fault) {
        (_, Some(why), _) => {
            let times = if reading.answer.attempts > 1 { format!(" (asked {} times)", reading.answer.attempts) } else { String::new() };
            format!("could not be told: {}{times}, and it could have decided", why.trim_end_matches('.'))
        }
        (AnswerOutcome::Found, None, Some(why)) => format!("`{detail}`, which it cannot use: {why}"),
        (AnswerOutcome::Found, None, None) if matches!(reading.answer.reply, Reply::Redirect(_)) => detail.to_owned(),
        (AnswerOutcome::Found, None, None) => format!("found `{detail}`"),
        (AnswerOutcome::Guarded, None, Some(_)) => format!("asks for sign-in{}, which is of no use to it", schemes(reading)),
        (AnswerOutcome::Guarded, None, None) => format!("asks for sign-in{}", schemes(reading)),
        (AnswerOutcome::Absent, None, _) => format!("nothing there: {detail}"),
        (AnswerOutcome::Invalid, None, Some(why)) if why != reading.detail => format!("nothing that it can use: {detail} ({why})"),
        (AnswerOutcome::Invalid, None, _) => format!("nothing that it can use: {detail}"),
        (AnswerOutcome::Failed, None, _) => format!("no answer, which it takes for nothing: {detail}"),
    };
    format!("{assumed}{told}")
}

/// ` (bearer, basic)`.
fn schemes(reading: &Reading) -> String {
    match &reading.answer.reply {
        Reply::Obstacle(Obstacle::CredentialsRequired { schemes, .. }) => format!(" ({})", schemes.replace(',', ", ")),
        _ => String::new(),
    }
}

/// ` Without its first label that is mail.protection.outlook.com; its base domain is outlook.com.`
fn reduction(mx: &Mx) -> String {
    let mut text = match (mx.all, mx.equal) {
        (1, _) => String::new(),
        _ if mx.any => format!(" It takes whichever is listed first: here {}.", mx.host),
        (_, 1) => format!(" It takes {}, of the best preference.", mx.host),
        (_, equal) => format!(" It takes {}, one of {equal} that share the best preference.", mx.host),
    };
    let parent = mx.host.split_once('.').map(|(_, parent)| parent);
    let parts: Vec<String> = mx
        .names
        .iter()
        .map(|name| match name.as_str() {
            name if name == mx.host => "the host is asked about as it is".to_owned(),
            name if registrable(&mx.host) == Some(name) => format!("its base domain is {name}"),
            name if parent == Some(name) => format!("without its first label that is {name}"),
            name => format!("shortened further it is {name}"),
        })
        .collect();
    let sentence = if parts.is_empty() { "there is no name in it that this client would ask about".to_owned() } else { parts.join("; ") };
    let mut letters = sentence.chars();
    if let Some(first) = letters.next() {
        text = format!("{text} {}{}.", first.to_ascii_uppercase(), letters.as_str());
    }
    text
}

/// Whether lookups of the same kind that would come next do not count any more.
fn passes_over(tale: &Tale<'_>, step: &Step<'_>) -> bool {
    let Some(last) = step.lookups.last() else { return false };
    let behind = tale.discovery.lookups.iter().skip_while(|lookup| lookup.request != last.request).skip(1);
    behind.take_while(|lookup| lookup.kind == step.kind).any(|lookup| tale.discovery.idle.contains(&lookup.request))
}
