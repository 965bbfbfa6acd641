//! The Autodiscover request (MS-OXDSCLI section 2.2.3).

use quick_xml::escape::escape;

use crate::model::Address;

/// The body of an Autodiscover request for the Outlook schema; to be sent as `text/xml; charset=utf-8`.
#[must_use]
pub fn pox_request(address: &Address) -> String {
    request_body(address, (REQUEST_SCHEMA, RESPONSE_SCHEMA))
}

/// The body of an Autodiscover request: the schema that it is written in, and that of the answer that is wanted.
pub(super) fn request_body(address: &Address, (request, response): (&str, &str)) -> String {
    let address = address.to_string();
    let address = escape(address.as_str());
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{request}">
  <Request>
    <EMailAddress>{address}</EMailAddress>
    <AcceptableResponseSchema>{response}</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"#
    )
}

// Microsoft's pages write these with `https`; servers compare them with `http`.
const REQUEST_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
const RESPONSE_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_documented_one() {
        let address = Address::parse("anna@contoso.com").unwrap();
        let expected = include_str!("../../tests/fixtures/documents/pox-request.xml");
        assert_eq!(pox_request(&address), expected);
    }

    #[test]
    fn an_address_cannot_write_markup() {
        let address = Address::parse("\"</EMailAddress>&\"@contoso.com").unwrap();
        let request = pox_request(&address);
        assert!(request.contains("<EMailAddress>&quot;&lt;/EMailAddress&gt;&amp;&quot;@contoso.com</EMailAddress>"), "{request}");
        assert_eq!(request.matches("</EMailAddress>").count(), 1);
    }
}
