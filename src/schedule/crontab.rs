//! The five fields of a schedule as people write them (crontab(5)), and what the `cron` crate is told in their place: it wants
//! seconds first, counts weekdays from Sunday as 1, and takes a day only where both day fields match.

use std::{collections::BTreeSet, str::FromStr};

/// Why a schedule is of no use. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields, and none of the words.
    #[error("`{text}` has {found} fields: write five, minute, hour, day of month, month and weekday, such as `30 2 * * *`, or {WORDS}")]
    FieldCount {
        /// The schedule.
        text: String,
        /// How many it has.
        found: usize,
    },
    /// A word with an @ that is none.
    #[error("`{0}` is no word for a schedule: write one of {WORDS}")]
    Word(String),
    /// A part of a field is neither number nor name.
    #[error("`{part}` is no {field}: write a number from {least} to {most}{}, a range such as `{least}-{most}`, or `*`", .names.map(|names| format!(", a name such as `{names}`")).unwrap_or_default())]
    Part {
        /// What stands there.
        part: String,
        /// What the field is.
        field: &'static str,
        /// The least number.
        least: u8,
        /// The greatest number.
        most: u8,
        /// A name, where there are names.
        names: Option<&'static str>,
    },
    /// A range that runs backwards.
    #[error("`{part}` runs backwards: write it in two parts, such as `{}`", .advice)]
    Backwards {
        /// The range.
        part: String,
        /// What to write.
        advice: String,
    },
    /// A step that is none.
    #[error("`{0}` has no step: write a number of at least 1 behind `/`, and a range or `*` before it, such as `*/15`")]
    Step(String),
    /// No day of the calendar has it.
    #[error("`{0}` never comes: no such day is in any of its months; change the day or the month")]
    Never(String),
    /// The zone is none.
    #[error("`{0}` is no time zone: write one by its IANA name, such as `Europe/Berlin`, or `UTC`")]
    Zone(String),
    /// There is nothing to look the zone up in.
    #[error("there are no time zones on this system to find `{0}` in: install tzdata (/usr/share/zoneinfo), or write `UTC`")]
    NoZones(String),
    /// Our own translation is refused.
    #[error("`{0}` cannot be made into a schedule: write it in another way")]
    Untranslatable(String),
}

impl ScheduleError {
    /// Whether it is the zone that is wrong.
    #[must_use]
    pub fn is_zone(&self) -> bool {
        matches!(self, Self::Zone(_) | Self::NoZones(_))
    }
}

/// One of the five.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// The names of the numbers, from `least`.
    names: &'static [&'static str],
}

/// Minute, hour, day of month, month, weekday; each in the form of the `cron` crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// One expression, or two of which either is enough.
    expressions: Vec<String>,
}

impl Translated {
    /// What the `cron` crate makes of it.
    pub(super) fn compile(&self, text: &str) -> Result<Vec<cron::Schedule>, ScheduleError> {
        let compile = |expression: &String| cron::Schedule::from_str(expression);
        self.expressions.iter().map(compile).collect::<Result<_, _>>().map_err(|_| ScheduleError::Untranslatable(text.to_owned()))
    }
}

/// Reads the five fields, or a word such as `@daily`.
pub(super) fn translate(text: &str) -> Result<Translated, ScheduleError> {
    let trimmed = text.trim();
    let spelled = match trimmed.strip_prefix('@') {
        None => trimmed,
        Some(word) => spell(word).ok_or_else(|| ScheduleError::Word(trimmed.to_owned()))?,
    };
    let parts: Vec<&str> = spelled.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = parts.as_slice() else {
        return Err(ScheduleError::FieldCount { text: trimmed.to_owned(), found: parts.len() });
    };
    let (minutes, hours) = (list(&MINUTE, minute)?, list(&HOUR, hour)?);
    let (days, months) = (list(&DAY, day)?, list(&MONTH, month)?);
    let weekdays: BTreeSet<u8> = read(&WEEKDAY, weekday)?.into_iter().map(|weekday| weekday % 7 + 1).collect();
    let weekdays = written(&weekdays, 7);
    // crontab(5): where both are restricted, one of them is enough; a field that begins with `*` restricts nothing in this sense
    let either = !day.starts_with('*') && !weekday.starts_with('*');
    let line = |day: &str, weekday: &str| format!("0 {minutes} {hours} {day} {months} {weekday}");
    let expressions = if either { vec![line(&days, "*"), line("*", &weekdays)] } else { vec![line(&days, &weekdays)] };
    Ok(Translated { expressions })
}

fn spell(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "hourly" => "0 * * * *",
        "daily" | "midnight" => "0 0 * * *",
        "weekly" => "0 0 * * 0",
        "monthly" => "0 0 1 * *",
        "yearly" | "annually" => "0 0 1 1 *",
        _ => return None,
    })
}

fn list(field: &Field, text: &str) -> Result<String, ScheduleError> {
    Ok(written(&read(field, text)?, usize::from(field.most - field.least) + 1))
}

/// `*` where all are in it, which the `cron` crate takes as no restriction.
fn written(numbers: &BTreeSet<u8>, all: usize) -> String {
    if numbers.len() == all {
        return "*".to_owned();
    }
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn read(field: &Field, text: &str) -> Result<BTreeSet<u8>, ScheduleError> {
    let mut numbers = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            None => (part, 1),
            Some((range, step)) => {
                let step = step.parse::<u8>().ok().filter(|step| *step > 0 && (range == "*" || range.contains('-')));
                (range, step.ok_or_else(|| ScheduleError::Step(part.to_owned()))?)
            }
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (field.least, field.most),
            None => (field.number(range, part)?, field.number(range, part)?),
            Some((from, to)) => (field.number(from, part)?, field.number(to, part)?),
        };
        if from > to {
            let advice = format!("{from}-{},{}-{to}", field.most, field.least);
            return Err(ScheduleError::Backwards { part: part.to_owned(), advice });
        }
        numbers.extend((from..=to).step_by(usize::from(step)));
    }
    Ok(numbers)
}

impl Field {
    fn number(&self, text: &str, part: &str) -> Result<u8, ScheduleError> {
        let named = || self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = || named().and_then(|at| u8::try_from(at).ok()).map(|at| at + self.least);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { named() };
        number.filter(|number| (self.least..=self.most).contains(number)).ok_or_else(|| ScheduleError::Part {
            part: part.to_owned(),
            field: self.name,
            least: self.least,
            most: self.most,
            names: self.names.first().copied(),
        })
    }
}

const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: &[] };
const DAY: Field = Field { name: "day of month", least: 1, most: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// 0 and 7 are both Sunday.
const WEEKDAY: Field = Field { name: "weekday", least: 0, most: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };
const WORDS: &str = "@hourly, @daily, @weekly, @monthly, @yearly";

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(text: &str) -> Vec<String> {
        translate(text).unwrap_or_else(|error| panic!("{text}: {error}")).expressions
    }

    #[test]
    fn what_people_write_is_translated() {
        for (text, expected) in [
            ("30 2 * * *", "0 30 2 * * *"),
            (" */15\t* * * * ", "0 0,15,30,45 * * * *"),
            ("0-10/5 1,3-4 * * *", "0 0,5,10 1,3,4 * * *"),
            ("0 0 * * 0", "0 0 0 * * 1"),
            ("0 0 * * 7", "0 0 0 * * 1"),
            ("0 0 * * 5-7", "0 0 0 * * 1,6,7"),
            ("0 0 * * mon-FRI", "0 0 0 * * 2,3,4,5,6"),
            ("0 0 * * 0-7", "0 0 0 * * *"),
            ("0 0 * Jan,dec *", "0 0 0 * 1,12 *"),
            ("0 0 */10 * 1", "0 0 0 1,11,21,31 * 2"),
            ("@daily", "0 0 0 * * *"),
            ("@Midnight", "0 0 0 * * *"),
            ("@hourly", "0 0 * * * *"),
            ("@weekly", "0 0 0 * * 1"),
            ("@monthly", "0 0 0 1 * *"),
            ("@yearly", "0 0 0 1 1 *"),
        ] {
            assert_eq!(expressions(text), [expected], "{text}");
        }
    }

    #[test]
    fn a_day_of_month_and_a_weekday_are_two_expressions() {
        assert_eq!(expressions("0 3 1 * MON"), ["0 0 3 1 * *", "0 0 3 * * 2"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        for (text, told) in [
            ("", "has 0 fields: write five"),
            ("0 30 2 * * *", "has 6 fields: write five"),
            ("@reboot", "`@reboot` is no word for a schedule: write one of @hourly, @daily"),
            ("60 * * * *", "`60` is no minute: write a number from 0 to 59"),
            ("* * 0 * *", "`0` is no day of month: write a number from 1 to 31"),
            ("* * * foo *", "`foo` is no month: write a number from 1 to 12, a name such as `jan`"),
            ("* * * * 8", "`8` is no weekday"),
            ("* * L * *", "`L` is no day of month"),
            ("+5 * * * *", "`+5` is no minute"),
            ("5, * * * *", "`` is no minute"),
            ("1-2-3 * * * *", "`1-2-3` is no minute"),
            ("* * * * 6-1", "`6-1` runs backwards: write it in two parts, such as `6-7,0-1`"),
            ("*/0 * * * *", "`*/0` has no step"),
            ("5/15 * * * *", "`5/15` has no step: write a number of at least 1 behind `/`, and a range or `*` before it"),
            ("300 * * * *", "`300` is no minute"),
        ] {
            let error = translate(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
