//! autodiscover-audit.toml(5), made of the commented example: prose, and below it the keys that it is about.

use clap_mangen::roff::{Inline, Roff, bold};

const EXAMPLE: &str = include_str!("../../../config/autodiscover-audit.toml");

/// The page.
pub(super) fn page() -> String {
    let mut roff = Roff::default();
    let version = concat!("autodiscover-audit ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", ["autodiscover-audit.toml", "5", "", version, "autodiscover-audit"]);
    roff.control("SH", ["NAME"]);
    roff.text(["autodiscover-audit.toml - configuration of autodiscover-audit(1)".into()]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text(["A TOML file. What follows is every key, with its default or an example; all are optional but those of a tenant.".into()]);
    let mut headings = Vec::new();
    // not every terminal of a manual page has it
    let example = EXAMPLE.replace('…', "...");
    for unit in units(&example) {
        write(&mut roff, &unit, &mut headings);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text(["autodiscover-audit(1)".into()]);
    roff.to_roff()
}

/// Prose, and the lines below it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unit<'a> {
    prose: Vec<&'a str>,
    code: Vec<&'a str>,
}

/// A comment with a space after its `#` is prose; other lines are keys and headings, commented out or not.
fn units(text: &str) -> Vec<Unit<'_>> {
    let mut units = vec![Unit::default()];
    for line in text.lines() {
        let prose = line.strip_prefix("# ");
        let is_over = match prose {
            _ if line.is_empty() => true,
            Some(_) => units.last().is_some_and(|unit| !unit.code.is_empty()),
            None => false,
        };
        if is_over {
            units.push(Unit::default());
        }
        let Some(unit) = units.last_mut().filter(|_| !line.is_empty()) else { continue };
        match prose {
            Some(prose) => unit.prose.push(prose),
            None => unit.code.push(line.strip_prefix('#').unwrap_or(line)),
        }
    }
    units.retain(|unit| *unit != Unit::default());
    units
}

fn write<'a>(roff: &mut Roff, unit: &Unit<'a>, headings: &mut Vec<&'a str>) {
    let prose: Vec<Inline> = unit.prose.iter().map(|line| (*line).into()).collect();
    let mut keys = unit.code.as_slice();
    if let [heading, rest @ ..] = keys
        && heading.starts_with('[')
        && !headings.contains(heading)
    {
        headings.push(heading);
        roff.control("SH", [*heading]);
        keys = rest;
        if !prose.is_empty() {
            lines(roff, &prose);
        }
        if !keys.is_empty() {
            literal(roff, keys);
        }
    } else if keys.iter().any(|key| key.starts_with('[')) {
        lines(roff, &prose);
        literal(roff, keys);
    } else if keys.is_empty() {
        roff.control("PP", []);
        lines(roff, &prose);
    } else {
        roff.control("TP", []);
        for (at, key) in keys.iter().enumerate() {
            if at > 0 {
                roff.control("TQ", []);
            }
            roff.text([bold(*key)]);
        }
        lines(roff, &prose);
    }
}

fn lines(roff: &mut Roff, prose: &[Inline]) {
    for line in prose {
        roff.text([line.clone()]);
    }
}

/// As it stands, below each other.
fn literal(roff: &mut Roff, keys: &[&str]) {
    roff.control("PP", []);
    roff.control("EX", []);
    for key in keys {
        roff.text([(*key).into()]);
    }
    roff.control("EE", []);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_belongs_to_the_keys_below_it() {
        let text = "# All.\n\n# One\n# of many.\n#a = 1\n#b = 2\n# Third.\nc = 3\n\n[table]\n# Fourth.\n#d = 4\n";
        let unit = |prose: &[&'static str], code: &[&'static str]| Unit { prose: prose.into(), code: code.into() };
        let expected = [
            unit(&["All."], &[]),
            unit(&["One", "of many."], &["a = 1", "b = 2"]),
            unit(&["Third."], &["c = 3"]),
            unit(&[], &["[table]"]),
            unit(&["Fourth."], &["d = 4"]),
        ];
        assert_eq!(units(text), expected);
    }

    #[test]
    fn every_line_of_the_example_is_on_the_page() {
        let page = page();
        let plain = page.replace("\\-", "-").replace("\\\\", "\\").replace("\\*(Aq", "'").replace("\\(aq", "'").replace("\\&", "");
        for line in EXAMPLE.replace('…', "...").lines().map(|line| line.trim_start_matches('#').trim()).filter(|line| !line.is_empty()) {
            assert!(plain.contains(line), "{line}");
        }
    }
}
