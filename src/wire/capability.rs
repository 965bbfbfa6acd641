//! The headers by which an Autodiscover endpoint says what it can do (`microsoft.md` section 2.1), also beside a 401.

use super::{fault::clip, http_answer::header, json::flag};
use crate::model::Capabilities;

/// Reads the headers of an answer, whatever its status.
#[must_use]
pub fn read_capabilities(headers: &[(String, String)]) -> Capabilities {
    let enabled = |name| header(headers, name).and_then(flag);
    Capabilities {
        soap: enabled("X-SOAP-Enabled"),
        ws_security: enabled("X-WSSecurity-Enabled"),
        symmetric_key: enabled("X-WSSecurity-SymmetricKey-Enabled"),
        x509: enabled("X-WSSecurity-X509Cert-Enabled"),
        oauth: enabled("X-OAuth-Enabled"),
        token_issuer: header(headers, "X-FederationTrustTokenIssuerUri").map(|issuer| clip(issuer, 500)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Capabilities {
        read_capabilities(&headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_said_is_kept_apart_from_no() {
        let capabilities = read(&[
            ("x-soap-enabled", "True"),
            ("X-WSSECURITY-ENABLED", " true "),
            ("X-WSSecurity-SymmetricKey-Enabled", "False"),
            ("X-OAuth-Enabled", "yes"),
            ("x-federationtrusttokenissueruri", "urn:federation:MicrosoftOnline"),
        ]);
        let expected = Capabilities {
            soap: Some(true),
            ws_security: Some(true),
            symmetric_key: Some(false),
            x509: None,
            oauth: None,
            token_issuer: Some("urn:federation:MicrosoftOnline".into()),
        };
        assert_eq!((&capabilities, capabilities.is_exchange(), capabilities.is_microsoft_online()), (&expected, true, true));
    }

    #[test]
    fn an_endpoint_without_such_headers_is_no_exchange() {
        for headers in [&[][..], &[("Server", "nginx")], &[("X-SOAP-Enabled", "")]] {
            let capabilities = read(headers);
            assert_eq!((capabilities.is_exchange(), capabilities.is_microsoft_online()), (false, false), "{headers:?}");
        }
        let own = read(&[("X-SOAP-Enabled", "True"), ("X-FederationTrustTokenIssuerUri", "urn:federation:contoso")]);
        assert_eq!((own.is_exchange(), own.is_microsoft_online()), (true, false));
    }
}
