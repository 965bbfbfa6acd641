//! Keeps the address of a mailbox from strangers that a redirect leads to: the host that redirects was told the address, and may
//! write it on. Who is a stranger is what [`Subject`] says.

use std::ops::Range;

use super::Subject;

impl Subject {
    /// A URL as its host may read it: `postmaster` stands for the mailbox wherever the path or the query of a stranger's URL names it, as
    /// an address in any letter case, plain or percent-encoded (several times, in a URL inside a URL), or by its local part where a
    /// parameter asks for it. The URL is a serialised one (`scheme://host/path?query`), the host its own; `None`: it may stay as it is.
    #[must_use]
    pub fn url_for_stranger(&self, url: &str, host: &str) -> Option<String> {
        let Self { address } = self;
        let told = self.address_for_autodiscover(host);
        if told == *address {
            return None;
        }
        let whole = address.to_string();
        let before_domain = whole.strip_suffix(address.domain().as_str()).unwrap_or(&whole);
        let (origin, after) = url.split_at(path_start(url));
        let (path, query) = after.split_once('?').map_or((after, None), |(path, query)| (path, Some(query)));
        let replace = |text: &str, mut places: Vec<Range<usize>>| {
            places.extend(places_of_address(text, before_domain.as_bytes()));
            put(told.local(), text, places)
        };
        let mut kept = format!("{origin}{}", replace(path, Vec::new()));
        if let Some(query) = query {
            kept.push('?');
            kept.push_str(&replace(query, places_of_parameter(query, address.local())));
        }
        (kept != url).then_some(kept)
    }
}

/// Where the part after the host begins.
fn path_start(url: &str) -> usize {
    let host = url.find("://").map_or(0, |at| at + 3);
    url.get(host..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| host + at)
}

/// A byte as it reads after some decodings, and where it is written.
#[derive(Clone)]
struct Unit {
    byte: u8,
    written: Range<usize>,
}

/// Where the part before the `@` is written, at each depth of encoding; `wanted` ends with the `@`.
fn places_of_address(text: &str, wanted: &[u8]) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    for units in depths(text) {
        for found in units.windows(wanted.len()).filter(|found| reads(found, wanted)) {
            if let (Some(first), Some(at)) = (found.first(), found.last()) {
                places.push(first.written.start..at.written.start);
            }
        }
    }
    places
}

/// Where the local part alone is the value of a parameter that asks for a mailbox.
fn places_of_parameter(query: &str, local: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = 0;
    for pair in query.split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && depths(name).iter().any(|units| asks_for_mailbox(units))
            && depths(value).iter().any(|units| reads(units, local.as_bytes()))
        {
            let from = start + name.len() + 1;
            places.push(from..from + value.len());
        }
        start += pair.len() + 1;
    }
    places
}

fn asks_for_mailbox(name: &[Unit]) -> bool {
    MAILBOX_PARAMETERS.iter().any(|word| name.windows(word.len()).any(|part| reads(part, word.as_bytes())))
}

fn reads(units: &[Unit], wanted: &[u8]) -> bool {
    units.len() == wanted.len() && units.iter().zip(wanted).all(|(unit, byte)| unit.byte.eq_ignore_ascii_case(byte))
}

/// The text as written, decoded once, twice, and so on.
fn depths(text: &str) -> Vec<Vec<Unit>> {
    let plain: Vec<Unit> = text.bytes().enumerate().map(|(at, byte)| Unit { byte, written: at..at + 1 }).collect();
    let deeper = |units: &Vec<Unit>| units.iter().any(|unit| unit.byte == b'%').then(|| decode(units));
    std::iter::successors(Some(plain), deeper).take(DEEPEST + 1).collect()
}

fn decode(units: &[Unit]) -> Vec<Unit> {
    let mut decoded = Vec::with_capacity(units.len());
    let mut rest = units;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digit = |unit: &Unit| char::from(unit.byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if let (b'%', [high, low, after @ ..]) = (first.byte, after)
            && let (Some(upper), Some(lower)) = (digit(high), digit(low))
        {
            decoded.push(Unit { byte: upper << 4 | lower, written: first.written.start..low.written.end });
            rest = after;
        } else {
            decoded.push(first.clone());
        }
    }
    decoded
}

/// The text with `word` in each place; places that overlap are one.
fn put(word: &str, text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_by_key(|place| place.start);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for place in places {
        if place.start >= done {
            out.push_str(text.get(done..place.start).unwrap_or_default());
            out.push_str(word);
        }
        done = done.max(place.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Words in the names of parameters that ask for a mailbox: `emailaddress`, `username`, `login`.
const MAILBOX_PARAMETERS: [&str; 4] = ["mail", "user", "login", "addr"];
/// A URL inside a URL inside a URL.
const DEEPEST: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(url: &str, address: &str) -> String {
        let host = url.split('/').nth(2).unwrap();
        Subject { address: address.parse().unwrap() }.url_for_stranger(url, host).unwrap_or_else(|| url.to_owned())
    }

    #[test]
    fn a_stranger_reads_postmaster_in_every_form_of_the_address() {
        for (written, asked) in [
            ("?emailaddress=anna@contoso.com", "?emailaddress=postmaster@contoso.com"),
            ("?emailaddress=anna%40contoso.com&x=1", "?emailaddress=postmaster%40contoso.com&x=1"),
            ("?a=Anna%40Contoso.COM&b=ANNA@contoso.com", "?a=postmaster%40Contoso.COM&b=postmaster@contoso.com"),
            ("?a=%61n%4Ea%40contoso.com", "?a=postmaster%40contoso.com"),
            ("?a=anna%40contoso%2ecom", "?a=postmaster%40contoso%2ecom"),
            ("/anna@contoso.com/config.xml", "/postmaster@contoso.com/config.xml"),
            ("/for-anna%40contoso.com", "/for-postmaster%40contoso.com"),
            (
                "?next=https%3A%2F%2Fx.example%2F%3Fe%3Danna%2540contoso.com",
                "?next=https%3A%2F%2Fx.example%2F%3Fe%3Dpostmaster%2540contoso.com",
            ),
            ("?emailaddress=anna", "?emailaddress=postmaster"),
            ("?domain=contoso.com&User=%41nna", "?domain=contoso.com&User=postmaster"),
            ("?domain=contoso.com&us%65r=anna", "?domain=contoso.com&us%65r=postmaster"),
            ("?lang=anna&a=hanna&email=annabel", "?lang=anna&a=hanna&email=annabel"),
            ("?", "?"),
            ("", ""),
            ("?a=100%&b=%4&c=%zz", "?a=100%&b=%4&c=%zz"),
        ] {
            let (written, asked) = (format!("https://tracker.example/x{written}"), format!("https://tracker.example/x{asked}"));
            assert_eq!(kept(&written, "anna@contoso.com"), asked);
        }
    }

    #[test]
    fn local_parts_that_are_odd_or_part_of_postmaster_are_kept_as_well() {
        for (address, written, asked) in [
            (
                "=anna+b@contoso.com",
                "?a=%3Danna%2Bb%40contoso.com&b==anna+b@contoso.com",
                "?a=postmaster%40contoso.com&b=postmaster@contoso.com",
            ),
            ("master@contoso.com", "?a=master%40contoso.com&mail=master", "?a=postmaster%40contoso.com&mail=postmaster"),
            ("jürgen@contoso.com", "?a=j%C3%BCrgen%40contoso.com", "?a=postmaster%40contoso.com"),
            ("\"anna b\"@contoso.com", "?a=%22anna%20b%22%40contoso.com", "?a=postmaster%40contoso.com"),
            ("postmaster@contoso.com", "?a=Postmaster@contoso.com", "?a=Postmaster@contoso.com"),
        ] {
            let (written, asked) = (format!("https://tracker.example/{written}"), format!("https://tracker.example/{asked}"));
            assert_eq!(kept(&written, address), asked);
        }
    }

    #[test]
    fn hosts_of_the_domain_and_those_of_microsoft_may_know() {
        for host in ["contoso.com", "mail.contoso.com", "autodiscover-s.outlook.com", "outlook.office365.com"] {
            let url = format!("https://{host}/anna@contoso.com?emailaddress=anna%40contoso.com&user=anna");
            assert_eq!(kept(&url, "anna@contoso.com"), url);
        }
        for host in ["contoso.com.evil.example", "evil-outlook.com", "192.0.2.1", "[2001:db8::1]"] {
            let url = |local: &str| format!("https://{host}/?a={local}@contoso.com");
            assert_eq!(kept(&url("anna"), "anna@contoso.com"), url("postmaster"));
        }
    }
}
