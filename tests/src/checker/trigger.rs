//! Triggers, parsed from their stored form.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime};

use super::cron::Cron;

/// The longest span that is searched second by second, in microseconds.
const LONGEST: i64 = 31 * 86_400_000_000;

/// A second implementation of triggers: the slow way.
///
/// It supports `every … start=…`, `cron …` with 5 to 7 numeric fields in UTC, and `at …`; the first two with `start`
/// and `end`; in the text form and in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FireTimes {
    what: What,
    start: i64,
    end: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Every(i64),
    Cron(Cron),
    At,
}

impl FireTimes {
    /// Parses a trigger.
    ///
    /// # Errors
    /// The trigger has a form that is not supported here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = if text.trim_start().starts_with('{') {
            Words::of_json(text)?
        } else {
            Words::of_text(text)?
        };
        words
            .trigger()
            .map_err(|problem| format!("`{text}`: {problem}"))
    }

    /// Returns the fire times after `after` and up to `until`, in microseconds since 1970.
    ///
    /// # Errors
    /// The instants lie too far apart to test every second.
    pub fn between(&self, after: i64, until: i64) -> Result<BTreeSet<i64>, String> {
        let until = until.min(self.end);
        match &self.what {
            What::At if self.start > after && self.start <= until => Ok([self.start].into()),
            What::At => Ok(BTreeSet::new()),
            What::Every(every) => {
                let mut times = BTreeSet::new();
                let mut at = self.start;
                while at <= until {
                    if at > after {
                        times.insert(at);
                    }
                    at += every;
                }
                Ok(times)
            }
            What::Cron(_) if until - after > LONGEST => Err(format!(
                "{} s are too many to look at",
                (until - after) / 1_000_000
            )),
            What::Cron(cron) => Ok((after.div_euclid(1_000_000)..=until.div_euclid(1_000_000))
                .filter(|second| cron.has(*second))
                .map(|second| second * 1_000_000)
                .filter(|at| *at > after && *at >= self.start && *at <= until)
                .collect()),
        }
    }
}

/// The kind of a trigger, its body and its options.
struct Words {
    kind: String,
    body: String,
    options: BTreeMap<String, String>,
}

impl Words {
    fn of_text(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.trim().split_once(' ').ok_or("one word only")?;
        let (options, body): (Vec<_>, Vec<_>) =
            rest.split_whitespace().partition(|word| word.contains('='));
        Ok(Self {
            kind: kind.to_owned(),
            body: body.join(" "),
            options: options
                .into_iter()
                .filter_map(|word| word.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    fn of_json(text: &str) -> Result<Self, String> {
        let mut options: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|problem| format!("`{text}`: {problem}"))?;
        let (kind, body) = match options.remove("type").as_deref() {
            Some("interval") => ("every", "every"),
            Some("cron") => ("cron", "expr"),
            Some("date") => ("at", "at"),
            other => return Err(format!("`{text}`: type {other:?} is not known here")),
        };
        Ok(Self {
            kind: kind.to_owned(),
            body: options.remove(body).unwrap_or_default(),
            options,
        })
    }

    fn trigger(mut self) -> Result<FireTimes, String> {
        let zone = self.options.remove("timezone");
        if zone.as_deref().is_some_and(|zone| zone != "UTC") {
            return Err("only UTC is known here".to_owned());
        }
        // In UTC, clocks never change.
        self.options.remove("gap");
        self.options.remove("fold");
        let start = self.options.remove("start").map(|text| instant(&text));
        let end = self.options.remove("end").map(|text| instant(&text));
        if let Some(option) = self.options.keys().next() {
            return Err(format!("`{option}` is not known here"));
        }
        let (mut start, end) = (start.transpose()?, end.transpose()?);
        let what = match self.kind.as_str() {
            "every" if start.is_none() => return Err("it has no start".to_owned()),
            "every" => What::Every(duration(&self.body)?),
            "cron" => What::Cron(self.body.parse()?),
            "at" => {
                start = Some(instant(&self.body)?);
                What::At
            }
            kind => return Err(format!("`{kind}` is not known here")),
        };
        Ok(FireTimes {
            what,
            start: start.unwrap_or(i64::MIN),
            end: end.unwrap_or(i64::MAX),
        })
    }
}

/// Parses an instant, in UTC unless it has an offset.
fn instant(text: &str) -> Result<i64, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.timestamp_micros())
        .or_else(|_| {
            text.parse()
                .map(|at: NaiveDateTime| at.and_utc().timestamp_micros())
        })
        .map_err(|_| format!("`{text}` is no instant that is known here"))
}

/// Parses a duration such as `1h 30m`, in microseconds.
fn duration(text: &str) -> Result<i64, String> {
    let mut sum = 0;
    for part in text.split_whitespace() {
        let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let count: i64 = digits
            .parse()
            .map_err(|_| format!("`{part}` is no duration"))?;
        let unit = match &part[digits.len()..] {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            "w" => 604_800_000_000,
            unit => return Err(format!("the unit `{unit}` is not known here")),
        };
        sum += count * unit;
    }
    if sum == 0 {
        return Err(format!("`{text}` is no duration"));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use scheduler_triggers::Trigger;

    use super::*;

    const START: i64 = 1_767_225_600_000_000; // 2026-01-01T00:00:00Z, a Thursday

    /// Compares the fire times with those of the scheduler's own search.
    fn assert_agrees(text: &str, span: i64) {
        let trigger: Trigger = text.parse().unwrap();
        let (after, until) = (START - 1, START + span);
        let from = DateTime::from_timestamp_micros(after).unwrap();
        let expected: BTreeSet<i64> = trigger
            .upcoming(from)
            .map(|at| at.timestamp_micros())
            .take_while(|at| *at <= until)
            .collect();
        assert!(!expected.is_empty(), "{text}");
        for form in [
            trigger.to_string(),
            serde_json::to_string(&trigger).unwrap(),
        ] {
            let found = FireTimes::parse(&form)
                .unwrap()
                .between(after, until)
                .unwrap();
            assert_eq!(found, expected, "{form}");
        }
    }

    #[test]
    fn it_agrees_with_the_triggers() {
        for text in [
            "every 700ms start=2026-01-01T00:00:00.000123Z",
            "every 1m 30s start=2025-12-31T23:59:59.1Z end=2026-01-01T00:10:29.1Z",
            "every 1s start=2026-01-01T00:00:03",
            "cron */2 * * * * * timezone=UTC",
            "cron 5/20 1-10/3,59 * * * * timezone=UTC start=2026-01-01T00:04:25Z",
            "at 2026-01-01T00:00:00Z",
        ] {
            assert_agrees(text, 3_600_000_000);
        }
        for text in [
            "cron 30 6 * * 1-5 timezone=UTC",
            "cron 0 0 3 * 7 timezone=UTC",
            "cron 0 30 6 2-5 1 3 timezone=UTC",
            "cron 0 0 0 * * 6 * timezone=UTC",
        ] {
            assert_agrees(text, 14 * 86_400_000_000);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "every 1s",
            "every 0s start=2026-01-01T00:00:00Z",
            "every 1y start=2026-01-01T00:00:00Z",
            "cron 0 6 * * * timezone=Europe/Berlin",
            "cron hour=6 timezone=UTC",
            "cron 0 6 L * * timezone=UTC",
            "cron 0 6 * * * 2027 2028 9 timezone=UTC",
            "or (every 1s)",
            r#"{"type":"calendar_interval","days":"1"}"#,
            "now",
        ] {
            assert!(FireTimes::parse(text).is_err(), "{text}");
        }
        let cron = FireTimes::parse("cron * * * * * timezone=UTC").unwrap();
        assert!(cron.between(0, START).is_err());
    }
}
