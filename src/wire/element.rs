//! An element of a tolerant tree, and how its parts are found by name.

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Without the prefix.
    pub(super) name: String,
    /// Whether there was a prefix.
    pub(super) prefixed: bool,
    /// By qualified name, the first of a name; declarations of namespaces are left out.
    pub(super) attributes: Vec<(String, String)>,
    /// Its own text, without that of its children; at most 16 KiB.
    pub(super) text: String,
    /// In document order.
    pub(super) children: Vec<Element>,
}

/// How closely a name is the one that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// The same, without a prefix.
    Exact,
    /// The same behind a prefix.
    Prefixed,
    /// The same in other letter case.
    Loose,
}

impl Element {
    /// How closely the element has this name, if at all.
    pub(super) fn matches(&self, name: &str) -> Option<Match> {
        if self.name == name {
            Some(if self.prefixed { Match::Prefixed } else { Match::Exact })
        } else {
            self.name.eq_ignore_ascii_case(name).then_some(Match::Loose)
        }
    }

    /// The children of this name: those that match most closely.
    pub(super) fn children(&self, name: &str) -> impl Iterator<Item = &Self> {
        let best = self.children.iter().filter_map(|child| child.matches(name)).min();
        self.children.iter().filter(move |child| best.is_some() && child.matches(name) == best)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children(name).next()
    }

    /// Whether children have this name in other spellings alone.
    pub(super) fn lacks_exact(&self, name: &str) -> bool {
        self.child(name).is_some_and(|child| child.matches(name) != Some(Match::Exact))
    }

    /// Whether an attribute has this name in other letter case alone.
    pub(super) fn lacks_exact_attribute(&self, name: &str) -> bool {
        let mut keys = self.attributes.iter().map(|(key, _)| key).filter(|key| key.eq_ignore_ascii_case(name)).peekable();
        keys.peek().is_some() && keys.all(|key| key != name)
    }

    /// The trimmed text of the first child of this name; `None` where it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    }

    /// The trimmed texts of all children of this name, without the empty ones.
    pub(super) fn texts_of(&self, name: &str) -> Vec<String> {
        self.children(name).map(|child| child.text.trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The trimmed value of an attribute; `None` where it is missing or empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let find = |exact: bool| self.attributes.iter().find(|(key, _)| if exact { key == name } else { key.eq_ignore_ascii_case(name) });
        find(true).or_else(|| find(false)).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::xml::read_tree;

    #[test]
    fn the_closest_name_wins() {
        let body = b"<r xmlns:p='u' TYPE='x' type='y'><A>1</A><p:a>2</p:a><a>3</a><a> </a><a>4</a><B>5</B><p:c>6</p:c><C>7</C></r>";
        let root = read_tree(body, "", "r").unwrap().root;
        assert_eq!(
            (root.texts_of("a"), root.attribute("type"), root.attribute("Type")),
            (vec!["3".to_owned(), "4".to_owned()], Some("y"), Some("x"))
        );
        assert_eq!((root.text_of("b").as_deref(), root.text_of("c").as_deref(), root.text_of("d")), (Some("5"), Some("6"), None));
    }
}
