//! The text format of Prometheus (exposition format 0.0.4): families with help and type, their samples together.

use std::fmt::{Display, Write};

/// What a family's numbers mean over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It goes up, and begins at 0 with the process.
    Counter,
    /// How many fell under each bound, since the process began.
    Histogram,
}

/// A metric with its meaning.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What its numbers mean over time.
    pub kind: Kind,
    /// What it says, and its unit.
    pub help: &'static str,
    /// The labels of its samples, in this order; `le` of a histogram apart.
    pub labels: &'static [&'static str],
}

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Writes a family with its samples: the values of its labels, and the number. One without samples is left out.
    pub(super) fn add<const N: usize, V: Display>(&mut self, family: &Family, samples: impl IntoIterator<Item = ([String; N], V)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        self.head(family);
        for (labels, value) in samples {
            self.line(family, ("", &labels), None, &value);
        }
    }

    /// Writes a family with one sample without labels.
    pub(super) fn set(&mut self, family: &Family, value: impl Display) {
        self.add(family, [([], value)]);
    }

    /// Writes what comes before the samples of a family.
    pub(super) fn head(&mut self, family: &Family) {
        let Family { name, kind, help, .. } = family;
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // a String takes everything
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
    }

    /// Writes a sample; `suffix` and `bound` are those of a histogram's.
    pub(super) fn line(&mut self, family: &Family, (suffix, labels): (&str, &[String]), bound: Option<&str>, value: &dyn Display) {
        self.0.push_str(family.name);
        self.0.push_str(suffix);
        let pairs = family.labels.iter().copied().zip(labels.iter().map(String::as_str));
        for (at, (label, value)) in pairs.chain(bound.map(|bound| ("le", bound))).enumerate() {
            let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            let _ = write!(self.0, "{}{label}=\"{value}\"", if at == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() || bound.is_some() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_a_family_without_samples_is_left_out() {
        let family = Family { name: "x_total", kind: Kind::Counter, help: "a \\ and\nb", labels: &["one", "two"] };
        let mut page = Page::default();
        page.add(&family, [([r#"a"\"#.to_owned(), "b\nc".to_owned()], 1)]);
        page.add::<0, u8>(&Family { name: "y", ..family }, []);
        assert_eq!(page.into_text(), "# HELP x_total a \\\\ and\\nb\n# TYPE x_total counter\nx_total{one=\"a\\\"\\\\\",two=\"b\\nc\"} 1\n");
    }
}
