//! Where the discovery services are asked: URLs and names.

use super::{address::Address, domain::Domain, microsoft::V2Protocol};

/// Where AutoDetect is asked; every service and protocol that it knows.
pub const AUTODETECT_URL: &str = "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?services=office365,outlook,google,icloud,yahoo&protocols=rest-cloud,rest-outlook,rest-office365,eas,imap,smtp,pop3&timeout=13.5";

/// The URL of a question to Autodiscover v2 in the form that own servers and redirects use.
#[must_use]
pub fn v2_url(host: &str, address: &Address, protocol: V2Protocol) -> String {
    let (email, protocol) = (address.percent_encoded(), protocol.as_str());
    format!("https://{host}/autodiscover/autodiscover.json?Email={email}&Protocol={protocol}&RedirectCount=1")
}

/// The URL of a question to Autodiscover v2 in the form of Exchange Online. `outlook.office365.com` redirects to the other clouds.
#[must_use]
pub fn v2_path_url(host: &str, address: &Address, protocol: V2Protocol) -> String {
    let (email, protocol) = (address.percent_encoded(), protocol.as_str());
    format!("https://{host}/autodiscover/autodiscover.json/v1.0/{email}?Protocol={protocol}")
}

/// Where a domain's PACC document is (draft-ietf-mailmaint-pacc).
#[must_use]
pub fn pacc_url(domain: &Domain) -> String {
    format!("https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json")
}

/// The owner name of the TXT records that hold its digest.
#[must_use]
pub fn pacc_digest_name(domain: &Domain) -> String {
    format!("_ua-auto-config.{domain}")
}

/// Where the JMAP session is, below a host or below the target of `_jmap._tcp` (RFC 8620 section 2.2). `port` is left out where it
/// is the scheme's own.
#[must_use]
pub fn jmap_url(host: &str, port: u16) -> String {
    if port == 443 { format!("https://{host}/.well-known/jmap") } else { format!("https://{host}:{port}/.well-known/jmap") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_escape_the_address() {
        let address = Address::parse("anna+x@contoso.com").unwrap();
        assert_eq!(
            v2_url("autodiscover.contoso.com", &address, V2Protocol::ActiveSync),
            "https://autodiscover.contoso.com/autodiscover/autodiscover.json?Email=anna%2Bx%40contoso.com&Protocol=ActiveSync&RedirectCount=1"
        );
        assert_eq!(
            v2_path_url("outlook.office365.com", &address, V2Protocol::AutodiscoverV1),
            "https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/anna%2Bx%40contoso.com?Protocol=AutodiscoverV1"
        );
    }

    #[test]
    fn the_questions_of_pacc_are_those_of_the_draft() {
        let domain = Domain::parse("contoso.com").unwrap();
        assert_eq!(pacc_url(&domain), "https://ua-auto-config.contoso.com/.well-known/user-agent-configuration.json");
        assert_eq!(pacc_digest_name(&domain), "_ua-auto-config.contoso.com");
    }

    #[test]
    fn the_scheme_s_own_port_is_not_written() {
        assert_eq!(jmap_url("jmap.contoso.com", 443), "https://jmap.contoso.com/.well-known/jmap");
        assert_eq!(jmap_url("jmap.contoso.com", 8443), "https://jmap.contoso.com:8443/.well-known/jmap");
    }
}
