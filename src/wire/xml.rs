//! A tolerant XML tree on quick-xml's events: local names, whatever stands before or after the root left out, what breaks
//! midway kept up to there. It remembers whether a strict parser would have read the same. Depth, elements and texts are
//! capped; a DOCTYPE is skipped, its entities are never expanded.

use std::collections::HashMap;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{
    Fault, charset,
    element::Element,
    fault::clip,
    wellformed::{
        attributes, expand, is_binding, is_character, is_declaration, is_harmless_doctype, is_instruction_target, is_name, is_space,
        resolve,
    },
};

/// A document.
#[derive(Debug)]
pub(super) struct Tree {
    /// The first root element of the wanted name.
    pub(super) root: Element,
    /// Whether a strict parser would have read the same.
    pub(super) well_formed: bool,
    /// Where it broke inside the root element; what stands before that was read.
    pub(super) broken: Option<Fault>,
}

/// Reads a body for its first root element of a name.
///
/// # Errors
/// Every [`Fault`] that leaves no such element.
pub(super) fn read_tree(body: &[u8], content_type: &str, wanted: &str) -> Result<Tree, Fault> {
    let decoded = charset::decode(body, content_type)?;
    let junk = junk_length(&decoded.text, wanted);
    let text = decoded.text.get(junk..).unwrap_or_default();
    let mut builder = Builder::new(text, wanted);
    builder.well_formed = junk == 0 && decoded.faithful && text.chars().all(is_character);
    let fault = builder.run();
    builder.finish(fault)
}

/// Octets before an XML declaration that is not the first thing: white space, a warning of the web server's language.
fn junk_length(text: &str, wanted: &str) -> usize {
    let declaration =
        text.match_indices("<?xml").map(|(at, _)| at).find(|at| text.get(at + 5..).is_some_and(|rest| rest.starts_with(is_space)));
    let starts = ["<!--".to_owned(), format!("<{wanted}").to_ascii_lowercase(), format!(":{wanted}").to_ascii_lowercase()];
    declaration
        .filter(|at| {
            let before = text.get(..*at).unwrap_or_default().to_ascii_lowercase();
            !starts.iter().any(|start| before.contains(start))
        })
        .unwrap_or(0)
}

struct Builder<'a> {
    text: &'a str,
    wanted: &'a str,
    open: Vec<Open>,
    prefixes: HashMap<String, usize>,
    elements: usize,
    first_root: Option<String>,
    root: Option<Element>,
    html: bool,
    doctype: bool,
    well_formed: bool,
}

/// An element whose end tag has not come yet.
struct Open {
    element: Element,
    declared: Vec<String>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, wanted: &'a str) -> Self {
        Self {
            text,
            wanted,
            open: Vec::new(),
            prefixes: HashMap::new(),
            elements: 0,
            first_root: None,
            root: None,
            html: false,
            doctype: false,
            well_formed: true,
        }
    }

    /// Reads up to the end, or to where nothing can be read any more.
    fn run(&mut self) -> Option<Fault> {
        let mut reader = Reader::from_str(self.text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().allow_dangling_amp = true;
        loop {
            let start = position(reader.buffer_position());
            let event = match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(event) => event,
                Err(error) => {
                    let before = self.text.get(..position(reader.error_position())).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    return Some(Fault::Broken { line, reason: clip(&error.to_string(), 120) });
                }
            };
            let raw = self.text.get(start..position(reader.buffer_position())).unwrap_or_default();
            if let Some(fault) = self.take(&event, raw, start) {
                return Some(fault);
            }
            if self.root.is_some() && !self.well_formed {
                break;
            }
        }
        let element = self.open.last().map(|open| clip(&open.element.name, 60));
        element.map(|element| Fault::CutOff { element })
    }

    fn take(&mut self, event: &Event<'_>, raw: &str, start: usize) -> Option<Fault> {
        match event {
            Event::Start(tag) => return self.open(tag),
            Event::End(_) => self.close(),
            Event::Text(text) => {
                self.require(!text.contains('&') && !text.contains("]]>"));
                self.add(&text.xml10_content());
            }
            Event::CData(text) => {
                self.require(!self.open.is_empty());
                self.add(&text.xml10_content());
            }
            Event::GeneralRef(reference) => {
                self.require(!self.open.is_empty());
                if let Some(character) = resolve(reference) {
                    self.add(character.encode_utf8(&mut [0; 4]));
                } else {
                    self.require(false);
                    self.add(raw);
                }
            }
            Event::Comment(text) => self.require(!text.contains("--") && !text.ends_with('-')),
            Event::Decl(_) => self.require(start == 0 && is_declaration(raw)),
            Event::PI(instruction) => self.require(is_instruction_target(instruction.target())),
            Event::DocType(text) => {
                let first = !self.doctype && self.first_root.is_none() && self.open.is_empty();
                self.require(first && is_harmless_doctype(raw));
                self.doctype = true;
                self.html |= text.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html"));
            }
            // `expand_empty_elements` leaves none, and the end is seen before.
            Event::Empty(_) | Event::Eof => {}
        }
        None
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Option<Fault> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Some(Fault::TooManyElements);
        }
        if self.open.len() >= MAX_DEPTH {
            return Some(Fault::TooDeep);
        }
        let qualified = tag.name().0;
        let (prefix, local) = qualified.split_once(':').map_or((None, qualified), |(prefix, local)| (Some(prefix), local));
        self.require(is_name(qualified) && attributes(tag.attributes_raw()).is_some());
        let mut open =
            Open { element: Element { name: local.to_owned(), prefixed: prefix.is_some(), ..Element::default() }, declared: Vec::new() };
        self.read_attributes(tag, &mut open);
        for used in open.element.attributes.iter().filter_map(|(key, _)| key.split_once(':')).map(|(prefix, _)| prefix).chain(prefix) {
            self.well_formed &= used == "xml" || self.prefixes.get(used).is_some_and(|bindings| *bindings > 0);
        }
        if self.open.is_empty() {
            self.require(self.first_root.is_none());
            self.first_root.get_or_insert_with(|| local.to_owned());
        }
        self.open.push(open);
        None
    }

    /// Attributes as a browser would take them; the first of a name counts.
    fn read_attributes(&mut self, tag: &BytesStart<'_>, open: &mut Open) {
        for attribute in tag.html_attributes().with_checks(false).flatten() {
            let (value, complete) = expand(&attribute.value);
            self.require(complete);
            let key = attribute.key.0;
            if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.require(is_binding(prefix, &value));
                *self.prefixes.entry(prefix.to_owned()).or_default() += 1;
                open.declared.push(prefix.to_owned());
            } else if key == "xmlns" {
                self.require(is_binding("", &value));
            } else {
                let mut value = value.into_owned();
                truncate(&mut value);
                open.element.attributes.push((key.to_owned(), value));
            }
        }
    }

    fn close(&mut self) {
        let Some(Open { element, declared }) = self.open.pop() else {
            return;
        };
        for prefix in declared {
            self.prefixes.entry(prefix).and_modify(|bindings| *bindings -= 1);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.element.children.push(element);
        } else if self.root.is_none() && element.matches(self.wanted).is_some() {
            self.root = Some(element);
        }
    }

    fn add(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            let room = MAX_TEXT_OCTETS.saturating_sub(open.element.text.len());
            open.element.text.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
        } else {
            self.require(text.chars().all(is_space));
        }
    }

    fn require(&mut self, holds: bool) {
        self.well_formed &= holds;
    }

    fn finish(mut self, fault: Option<Fault>) -> Result<Tree, Fault> {
        let complete = self.root.is_some();
        while !self.open.is_empty() {
            self.close();
        }
        let well_formed = self.well_formed && fault.is_none();
        if let Some(root) = self.root {
            return Ok(Tree { root, well_formed, broken: fault.filter(|_| !complete) });
        }
        let first = self.text.trim_start().chars().next();
        let name = self.first_root.filter(|name| is_name(name));
        Err(match name {
            _ if matches!(first, Some('{' | '[')) => Fault::Json,
            _ if self.html => Fault::Html,
            Some(name) if HTML_ELEMENTS.iter().any(|element| name.eq_ignore_ascii_case(element)) => Fault::Html,
            _ if first != Some('<') => Fault::NotXml,
            Some(name) => Fault::WrongRoot { name: clip(&name, 60) },
            None => fault.unwrap_or(Fault::NotXml),
        })
    }
}

fn truncate(text: &mut String) {
    text.truncate(text.floor_char_boundary(MAX_TEXT_OCTETS));
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 20_000;
const MAX_TEXT_OCTETS: usize = 16 * 1024;

/// Elements that begin a web page, or what a web server's language writes in front of one.
const HTML_ELEMENTS: [&str; 18] =
    ["html", "head", "body", "title", "meta", "link", "script", "style", "br", "hr", "b", "p", "div", "center", "h1", "h2", "pre", "font"];

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Result<Tree, Fault> {
        read_tree(text.as_bytes(), "text/xml; charset=utf-8", "r")
    }

    #[test]
    fn texts_are_what_the_markup_says() {
        for (inner, text) in [
            ("a<!-- no -->b<![CDATA[<c>&amp;]]>d", "ab<c>&amp;d"),
            ("&lt;&gt;&amp;&apos;&quot;&#252;&#xFC;", "<>&'\"üü"),
            ("a\r\nb", "a\nb"),
            ("a<x>child</x>b", "ab"),
            ("x&unknown;y", "x&unknown;y"),
            ("a & b", "a & b"),
            ("AT&T", "AT&T"),
        ] {
            let tree = tree(&format!("<r>{inner}</r>")).unwrap();
            assert_eq!((tree.root.text.as_str(), &tree.broken), (text, &None), "{inner}");
        }
    }

    #[test]
    fn only_what_a_strict_parser_reads_is_well_formed() {
        let bad = [
            "<r/><r/>",
            "<r/>x",
            "x<r/>",
            "<r/>&amp;",
            "<r/><![CDATA[]]>",
            " <?xml version='1.0'?><r/>",
            "<?xml?><r/>",
            "<r><?xml version='1.0'?></r>",
            "<r>&nbsp;</r>",
            "<r>a & b</r>",
            "<r>]]></r>",
            "<r>&#1;</r>",
            "<r>\u{1}</r>",
            "<r>\u{FFFE}</r>",
            "<r><!-- a -- b --></r>",
            "<r><!-- a ---></r>",
            "<r a='1' a='2'/>",
            "<r a=1/>",
            "<r a/>",
            "<r a='1'b='2'/>",
            "<r a='<'/>",
            "<r a='&'/>",
            "<r a='&x;'/>",
            "<r a='&#0;'/>",
            "<r><1/></r>",
            "<r><a:b:c xmlns:a='u'/></r>",
            "<p:r/>",
            "<r p:a='1'/>",
            "<r><x xmlns:p='u'/><p:y/></r>",
            "<r xmlns:p=''/>",
            "<r xmlns:xml='u'/>",
            "<r xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<r xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<r/><!DOCTYPE r>",
            "<!DOCTYPE r><!DOCTYPE r><r/>",
            "<!doctype r><r/>",
            "<!DOCTYPE r [<!ATTLIST r a CDATA 'x'>]><r/>",
            "<r/></r>",
            "<r/><",
            "<r/><!--",
            "<r><?XML a?></r>",
            "<r><?a:b c?></r>",
            "<x/><r/>",
            "<r/><x>",
        ];
        for text in bad {
            let tree = tree(text).unwrap();
            assert!(!tree.well_formed && tree.broken.is_none(), "{text}");
        }
        let good = [
            "<r/>",
            "<?xml version=\"1.0\" encoding='utf-8'?>\n<!-- c -->\n<r a='1' b=\"'\">&amp;</r >\n<!-- c --><?php x?>\n",
            "<p:r xmlns:p='u' p:a='1' xml:lang='de'/>",
            "<r><x xmlns:p='u'><p:y/></x></r>",
            "<!DOCTYPE r SYSTEM 'r.dtd'><r/>",
            "<!-- c --><?xml-stylesheet href='a'?><r/>",
            "<r ü='ü'><größe>ß</größe></r>",
            "<r><a.b-c_d/></r>",
        ];
        for text in good {
            let tree = tree(text).unwrap();
            assert!(tree.well_formed && tree.broken.is_none(), "{text}");
        }
    }

    #[test]
    fn what_breaks_midway_is_kept_up_to_there() {
        let cut_off = |element: &str| Some(Fault::CutOff { element: element.into() });
        for (text, broken) in [
            ("<r><a>1</a><b>2", cut_off("b")),
            ("<r><a>1</a>", cut_off("r")),
            ("<x:r><a>1</a>", cut_off("r")),
            (
                "<r><a>1</a>\n\n<b>2</c></r>",
                Some(Fault::Broken { line: 3, reason: "ill-formed document: expected `</b>`, but `</c>` was found".into() }),
            ),
        ] {
            let tree = tree(text).unwrap();
            assert_eq!((tree.root.text_of("a").as_deref(), tree.broken, tree.well_formed), (Some("1"), broken, false), "{text}");
        }
        assert!(matches!(tree("<r><a>1</a><b").unwrap().broken, Some(Fault::Broken { line: 1, .. })));
    }

    #[test]
    fn junk_around_the_root_is_passed_over() {
        for text in [
            "\n<?xml version='1.0'?><r><a>1</a></r>",
            "<br />\n<b>Warning: x</b><br>\n<?xml version='1.0'?><r><a>1</a></r>",
            "<br/><r><a>1</a></r>",
            "Notice: x\n<r><a>1</a></r>",
            "<r><a>1</a></r><r><a>2</a></r>",
            "<r><a>1</a></r></html>",
            "<!-- a copy of <?xml version='1.0'?> --><x/><r><a>1</a></r>",
            "<R><a>1</a></R>;",
        ] {
            let tree = tree(text).unwrap();
            assert_eq!((tree.root.text_of("a").as_deref(), tree.well_formed, tree.broken), (Some("1"), false, None), "{text}");
        }
    }

    #[test]
    fn what_has_no_such_root_is_refused_by_name() {
        let wrong = |name: &str| Fault::WrongRoot { name: name.into() };
        for (text, fault) in [
            ("<s:Envelope/>", wrong("Envelope")),
            ("<x><r/>", wrong("x")),
            ("<html><head><meta></head>", Fault::Html),
            ("<!DOCTYPE HTML><main/>", Fault::Html),
            ("<?xml version='1.0'?><HTML/>", Fault::Html),
            ("{\"a\": \"<x/>\"}", Fault::Json),
            (" []", Fault::Json),
            ("hello", Fault::NotXml),
            ("a < b", Fault::NotXml),
            ("see <a>this</a>", Fault::NotXml),
            ("<?xml version='1.0'?>", Fault::NotXml),
        ] {
            assert_eq!(tree(text).err(), Some(fault), "{text}");
        }
        assert!(matches!(tree("<!-- never ends"), Err(Fault::Broken { line: 1, .. })));
        assert_eq!(tree(&format!("<{}/>", "n".repeat(1000))).err(), Some(wrong(&"n".repeat(60))));
    }

    #[test]
    fn sizes_are_capped() {
        let nested = |depth: usize| format!("<r>{}{}</r>", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
        assert_eq!(tree(&nested(MAX_DEPTH)).unwrap().broken, None);
        assert_eq!(tree(&nested(MAX_DEPTH + 1)).unwrap().broken, Some(Fault::TooDeep));
        assert_eq!(tree(&format!("<r>{}</r>", "<a/>".repeat(MAX_ELEMENTS - 1))).unwrap().broken, None);
        let many = tree(&format!("<r>{}</r>", "<a/>".repeat(MAX_ELEMENTS))).unwrap();
        assert_eq!((many.broken, many.root.children.len()), (Some(Fault::TooManyElements), MAX_ELEMENTS - 1));
        let long = tree(&format!("<r a='{0}'>ü{0}&amp;{0}</r>", "ü".repeat(MAX_TEXT_OCTETS))).unwrap();
        assert_eq!((long.root.text.len(), long.root.attribute("a").map(str::len)), (MAX_TEXT_OCTETS, Some(MAX_TEXT_OCTETS)));
        assert!(long.well_formed);
    }
}
