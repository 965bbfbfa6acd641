//! What to do about a cause, for the administrator (`clients-and-standards.md` section 7.4).

use crate::model::{Cause, Domain, Hosting, Intake, Publication};

/// What the administrator of a domain can change about a cause, so that users of a client do not have to type settings.
pub(super) fn advice(cause: Cause, intake: &Intake, (domain, hosting): (&Domain, Hosting)) -> String {
    let own = Own { domain, intake };
    let is_anywhere =
        matches!(cause, Cause::NoSuchDomain | Cause::LookupFailed | Cause::OnMicrosoftDomain | Cause::BuiltInTable | Cause::ProviderId);
    if hosting != Hosting::default() && !is_anywhere {
        return own.elsewhere(cause);
    }
    let reads_documents = intake.reads.contains(&Publication::Autoconfig);
    let publish = own.publication();
    let and = |text: String| match &publish {
        Some(publish) => format!("{text}, and {publish}."),
        None => format!("{text}."),
    };
    match cause {
        Cause::OwnAutoconfigStale => format!(
            "Replace the document at autoconfig.{domain}: {}, and the same at https://{domain}/.well-known/autoconfig/.",
            own.document()
        ),
        Cause::OwnWellKnownStale => format!(
            "Replace or remove the document under https://{domain}/.well-known/autoconfig/; {}, with the same content.",
            own.document()
        ),
        Cause::WildcardHost if reads_documents => {
            format!("Remove the wildcard record *.{domain}, or give autoconfig.{domain} a record of its own and {}.", own.document())
        }
        Cause::WildcardHost => format!("Remove the wildcard record *.{domain}, or {}.", own.alias()),
        Cause::IspdbEntry => {
            let until = match &publish {
                Some(publish) if intake.heeds_domain_first => format!("until then {publish}"),
                _ => "until then nothing that you publish comes before it, and users type the settings".to_owned(),
            };
            format!("The ISP database lists {domain}: ask its maintainers to change the entry; {until}.")
        }
        Cause::MxBaseDomain | Cause::MxSeveral | Cause::MxProvider => match &publish {
            Some(publish) if intake.heeds_domain_first => {
                format!("Clients that go by the MX cannot be told otherwise by it: {publish}; it outranks what the MX leads to.")
            }
            _ => "Nothing that you publish outranks what the MX leads this client to: its users choose its Microsoft 365 or Exchange \
                  sign-in, or type the settings."
                .to_owned(),
        },
        Cause::MxLegacy => and(format!("Set the MX of {domain} to the value that Microsoft 365 shows for it today")),
        Cause::MxConsumer => {
            and(format!("The MX of {domain} is still the consumer service's: set it to the value that Microsoft 365 shows for it"))
        }
        Cause::SrvStale => format!("Correct the SRV records: {}; `0 0 0 .` for what is not offered.", own.records()),
        Cause::AutodiscoverForeign | Cause::AutodiscoverRedirect => {
            format!("{}, and remove what answers for Autodiscover elsewhere.", capital(own.alias()))
        }
        Cause::AutodiscoverSrv => format!(
            "Keep one SRV record _autodiscover._tcp.{domain} at most, to autodiscover.outlook.com port 443, or none beside the CNAME."
        ),
        Cause::NoEncryption => "Correct what answers: TLS for IMAP (socketType SSL, 993) and STARTTLS for SMTP (587).".to_owned(),
        Cause::NothingPublished | Cause::Guarded => own.everything(),
        Cause::UnusableDocument if reads_documents => {
            format!("Mend what answers (see the evidence): {} as text/xml, and answer 404 elsewhere.", own.document())
        }
        Cause::UnusableDocument => and("Mend or remove what answers (see the evidence)".to_owned()),
        Cause::GuessedHost => and(format!("Remove imap.{domain}, smtp.{domain} and mail.{domain} where they lead to another service")),
        Cause::AutodetectRow => format!(
            "{}, so that Autodiscover outranks AutoDetect's own database, and report the row to Microsoft (aka.ms/autodetect).",
            capital(own.alias())
        ),
        Cause::PaccStale => {
            format!("Correct or remove https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json and its TXT record.")
        }
        Cause::JmapForeign => format!("Remove _jmap._tcp.{domain} and /.well-known/jmap: Exchange Online has no JMAP."),
        Cause::NoSuchDomain => format!(
            "Correct the address in the list, or register {domain}: nothing can be published below a domain that does not exist. Where \
             only a private network knows it, name that network's servers in `network.dns_servers`."
        ),
        Cause::LookupFailed => {
            "See why the lookup fails (see the evidence); a private network or an own certificate authority has to be allowed first."
                .to_owned()
        }
        Cause::OnMicrosoftDomain => "Use an own domain for the primary address: under onmicrosoft.com nothing can be published.".to_owned(),
        Cause::BuiltInTable | Cause::ProviderId => BUILT_IN.to_owned(),
    }
}

/// What a domain publishes for a client.
struct Own<'a> {
    domain: &'a Domain,
    intake: &'a Intake,
}

impl Own<'_> {
    /// What the client reads first of all; `None`: nothing.
    fn publication(&self) -> Option<String> {
        self.intake.reads.iter().find_map(|publication| self.of(*publication))
    }

    fn of(&self, publication: Publication) -> Option<String> {
        match publication {
            Publication::Autoconfig => Some(self.document()),
            Publication::MailSrv => Some(format!("publish {}", self.records())),
            Publication::Autodiscover => Some(self.alias()),
            Publication::Pacc => Some(format!(
                "publish https://ua-auto-config.{}/.well-known/user-agent-configuration.json with the TXT record of its digest",
                self.domain
            )),
            Publication::Jmap => None,
        }
    }

    fn document(&self) -> String {
        format!("publish the right config-v1.1.xml at https://autoconfig.{}/mail/config-v1.1.xml", self.domain)
    }

    fn alias(&self) -> String {
        format!("point autodiscover.{} at autodiscover.outlook.com (CNAME)", self.domain)
    }

    fn records(&self) -> String {
        let domain = self.domain;
        format!("_imaps._tcp.{domain} SRV 0 1 993 outlook.office365.com and _submission._tcp.{domain} SRV 0 1 587 smtp.office365.com")
    }

    /// Where nothing is published.
    fn everything(&self) -> String {
        let Some(publish) = self.publication() else {
            let is_jmap = self.intake.reads.contains(&Publication::Jmap);
            return if is_jmap { "Exchange Online has no JMAP: nothing can be published.".to_owned() } else { BUILT_IN.to_owned() };
        };
        let both = [Publication::Autoconfig, Publication::MailSrv].iter().all(|publication| self.intake.reads.contains(publication));
        let records = if both { ", and the SRV records of RFC 6186" } else { "" };
        format!("{}{records}.", capital(publish))
    }

    /// Where the mailbox does not live in the worldwide cloud: nobody but the site knows its servers.
    fn elsewhere(&self, cause: Cause) -> String {
        let domain = self.domain;
        if !matches!(cause, Cause::NothingPublished | Cause::Guarded) {
            return format!(
                "Correct what answers for {domain} (see the evidence) so that it names the servers where the mailbox lives, or allow its \
                 hosts in the configuration (`allowed_hosts`) where they are right."
            );
        }
        let places = self.intake.reads.iter().map(|publication| match publication {
            Publication::Autoconfig => format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
            Publication::MailSrv => "SRV records of RFC 6186".to_owned(),
            Publication::Autodiscover => format!("Autodiscover at autodiscover.{domain}"),
            Publication::Pacc => format!("https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json"),
            Publication::Jmap => format!("_jmap._tcp.{domain}"),
        });
        match places.collect::<Vec<_>>().join(", or ") {
            places if places.is_empty() => BUILT_IN.to_owned(),
            places => format!("Name the servers where the mailbox lives in what the client reads: {places}."),
        }
    }
}

fn capital(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

const BUILT_IN: &str =
    "Nothing that is published changes what this client does: choose its Microsoft 365 or Exchange sign-in, or type the settings.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cloud, Protocol};

    fn told(cause: Cause, intake: &Intake) -> String {
        advice(cause, intake, (&Domain::parse("contoso.com").unwrap(), Hosting::default()))
    }

    fn reading(reads: impl IntoIterator<Item = Publication>) -> Intake {
        Intake { reads: reads.into_iter().collect(), heeds_domain_first: true, protocols: vec![Protocol::Imap] }
    }

    #[test]
    fn a_client_is_helped_by_what_it_reads() {
        let publish = "https://autoconfig.contoso.com/mail/config-v1.1.xml";
        let alias = "autodiscover.contoso.com at autodiscover.outlook.com (CNAME)";
        for (reads, yes, no) in [
            (vec![Publication::Autoconfig, Publication::MailSrv], vec![publish, "RFC 6186"], vec![alias]),
            (vec![Publication::Autoconfig], vec![publish], vec![alias, "SRV"]),
            (vec![Publication::MailSrv], vec!["_imaps._tcp.contoso.com SRV 0 1 993 outlook.office365.com"], vec![publish, alias]),
            (vec![Publication::Autodiscover], vec![alias], vec![publish, "SRV"]),
            (vec![Publication::Pacc], vec!["ua-auto-config.contoso.com"], vec![publish, alias]),
            (vec![Publication::Jmap], vec!["no JMAP"], vec![publish, alias]),
            (vec![], vec!["changes what this client does"], vec![publish, alias]),
        ] {
            let intake = reading(reads.clone());
            for cause in [Cause::NothingPublished, Cause::Guarded] {
                let text = told(cause, &intake);
                assert!(yes.iter().all(|part| text.contains(part)), "{reads:?}: {text}");
                assert!(!no.iter().any(|part| text.contains(part)), "{reads:?}: {text}");
            }
            for cause in Cause::ALL {
                let text = told(cause, &intake);
                assert!(text.ends_with('.') && !text.starts_with(char::is_lowercase), "{cause}: {text}");
            }
        }
        let of_wildcard = told(Cause::WildcardHost, &reading([Publication::Autodiscover]));
        assert!(of_wildcard.contains(alias) && !of_wildcard.contains("autoconfig."), "{of_wildcard}");
    }

    #[test]
    fn a_client_that_heeds_databases_first_is_not_promised_a_document() {
        let deaf = Intake { heeds_domain_first: false, ..Intake::default() };
        for cause in [Cause::IspdbEntry, Cause::MxBaseDomain, Cause::MxSeveral] {
            assert!(told(cause, &Intake::default()).contains("config-v1.1.xml"), "{cause}");
            assert!(!told(cause, &deaf).contains("config-v1.1.xml"), "{cause}");
        }
    }

    #[test]
    fn elsewhere_nothing_of_exchange_online_is_advised() {
        let domain = Domain::parse("contoso.com").unwrap();
        for hosting in [Hosting::OnPremises, Hosting::ExchangeOnline(Cloud::China), Hosting::Consumer] {
            for cause in Cause::ALL {
                let text = advice(cause, &Intake::default(), (&domain, hosting));
                assert!(!text.contains("office365.com") && !text.contains("outlook.com"), "{hosting} {cause}: {text}");
            }
        }
        let text = advice(Cause::NothingPublished, &reading([Publication::Autodiscover]), (&domain, Hosting::OnPremises));
        assert!(text.contains("autodiscover.contoso.com") && !text.contains("autoconfig"), "{text}");
    }
}
