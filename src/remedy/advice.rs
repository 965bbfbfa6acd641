//! What to do about a cause, for the administrator (`clients-and-standards.md` section 7.4).

use crate::model::{Cause, Domain, Hosting};

/// What the administrator of a domain can change about a cause, so that nobody has to type settings: a sentence or two.
#[must_use]
pub fn advice(cause: Cause, domain: &Domain, hosting: Hosting) -> String {
    let is_anywhere = matches!(cause, Cause::LookupFailed | Cause::Guarded | Cause::NoSuchDomain);
    if hosting != Hosting::default() && !is_anywhere {
        return format!(
            "Correct what answers for {domain} (see the evidence) so that it names the servers where the mailbox lives, or allow its \
             hosts in the configuration (`allowed_hosts`) where they are right."
        );
    }
    let publish = format!("publish the right config-v1.1.xml at https://autoconfig.{domain}/mail/config-v1.1.xml");
    match cause {
        Cause::OwnAutoconfigStale => {
            format!("Replace the document at autoconfig.{domain}: {publish}, and the same at https://{domain}/.well-known/autoconfig/.")
        }
        Cause::OwnWellKnownStale => {
            format!("Replace or remove the document under https://{domain}/.well-known/autoconfig/; {publish}, with the same content.")
        }
        Cause::WildcardHost => {
            format!("Remove the wildcard record *.{domain}, or give autoconfig.{domain} a record of its own and {publish}.")
        }
        Cause::IspdbEntry => format!("The ISP database lists {domain}: ask its maintainers to change the entry; until then {publish}."),
        Cause::MxBaseDomain | Cause::MxSeveral | Cause::MxProvider => {
            format!("Clients that go by the MX cannot be told otherwise by it: {publish}; it outranks what the MX leads to.")
        }
        Cause::MxLegacy => format!("Set the MX of {domain} to the value that Microsoft 365 shows for it today, and {publish}."),
        Cause::MxConsumer => {
            format!(
                "The MX of {domain} is still the consumer service's: set it to the value that Microsoft 365 shows for it, and {publish}."
            )
        }
        Cause::SrvStale => format!(
            "Correct the SRV records: _imaps._tcp.{domain} SRV 0 1 993 outlook.office365.com and _submission._tcp.{domain} SRV 0 1 587 smtp.office365.com; `0 0 0 .` for what is not offered."
        ),
        Cause::AutodiscoverForeign | Cause::AutodiscoverRedirect => {
            format!("Point autodiscover.{domain} at autodiscover.outlook.com (CNAME), and remove what answers for Autodiscover elsewhere.")
        }
        Cause::AutodiscoverSrv => {
            format!(
                "Keep one SRV record _autodiscover._tcp.{domain} at most, to autodiscover.outlook.com port 443, or none beside the CNAME."
            )
        }
        Cause::NoEncryption => "Correct what answers: TLS for IMAP (socketType SSL, 993) and STARTTLS for SMTP (587).".to_owned(),
        Cause::NothingPublished | Cause::Guarded => {
            let mut text = publish;
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            format!("{text}, and the SRV records of RFC 6186.")
        }
        Cause::UnusableDocument => format!("Mend what answers (see the evidence): {publish} as text/xml, and answer 404 elsewhere."),
        Cause::NoSuchDomain => format!(
            "Correct the address in the list, or register {domain}: nothing can be published below a domain that does not exist. Where \
             only a private network knows it, name that network's servers in `network.dns_servers`."
        ),
        Cause::OnMicrosoftDomain => "Use an own domain for the primary address: under onmicrosoft.com nothing can be published.".to_owned(),
        Cause::BuiltInTable | Cause::ProviderId => {
            "Nothing that is published changes what this client has built in: choose its Microsoft 365 or Exchange sign-in, or type the settings."
                .to_owned()
        }
        Cause::GuessedHost => {
            format!("Remove imap.{domain}, smtp.{domain} and mail.{domain} where they lead to another service, and {publish}.")
        }
        Cause::AutodetectRow => format!(
            "Point autodiscover.{domain} at autodiscover.outlook.com (CNAME), so that Autodiscover outranks AutoDetect's own database, and \
             report the row to Microsoft (aka.ms/autodetect)."
        ),
        Cause::PaccStale => {
            format!("Correct or remove https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json and its TXT record.")
        }
        Cause::JmapForeign => format!("Remove _jmap._tcp.{domain} and /.well-known/jmap: Exchange Online has no JMAP."),
        Cause::LookupFailed => {
            "See why the lookup fails (see the evidence); a private network or an own certificate authority has to be allowed first."
                .to_owned()
        }
    }
}
