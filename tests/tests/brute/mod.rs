//! A second implementation of cron, the slow way: it tests every local minute of a period.
//!
//! It shares no code with the crate under test. Expressions are generated as values that have both a text form and a
//! matching function.

mod dates;
mod wall;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

pub(crate) use dates::Dates;
pub(crate) use wall::instants;

pub(crate) const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One item of a field's list.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Star,
    Step(u32),
    Value(u32),
    From(u32, u32),
    /// If it ends before it begins, it wraps around.
    Range(u32, u32, u32),
}

impl Item {
    fn text(&self) -> String {
        match self {
            Self::Star => "*".to_owned(),
            Self::Step(step) => format!("*/{step}"),
            Self::Value(value) => value.to_string(),
            Self::From(low, step) => format!("{low}/{step}"),
            Self::Range(low, high, 1) => format!("{low}-{high}"),
            Self::Range(low, high, step) => format!("{low}-{high}/{step}"),
        }
    }

    fn has(&self, value: u32, min: u32, max: u32) -> bool {
        match *self {
            Self::Star => true,
            Self::Step(step) => (value - min).is_multiple_of(step),
            Self::Value(wanted) => value == wanted,
            Self::From(low, step) => value >= low && (value - low).is_multiple_of(step),
            Self::Range(low, high, step) => {
                // Step by step, as one would count on a clock.
                let (mut at, mut steps) = (low, 0);
                loop {
                    if at == value {
                        return steps % step == 0;
                    }
                    if at == high {
                        return false;
                    }
                    at = if at == max { min } else { at + 1 };
                    steps += 1;
                }
            }
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Value(_))
    }
}

/// A list of items over a range of values.
#[derive(Clone, Debug)]
pub(crate) struct List {
    min: u32,
    max: u32,
    items: Vec<Item>,
}

impl List {
    /// Plain values.
    pub(crate) fn plain(values: Vec<u32>) -> Self {
        Self {
            min: 0,
            max: u32::MAX,
            items: values.into_iter().map(Item::Value).collect(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let texts: Vec<_> = self.items.iter().map(Item::text).collect();
        texts.join(",")
    }

    pub(crate) fn has(&self, value: u32) -> bool {
        self.items
            .iter()
            .any(|item| item.has(value, self.min, self.max))
    }

    fn is_plain(&self) -> bool {
        self.items.iter().all(Item::is_plain)
    }

    pub(crate) fn begins_with_star(&self) -> bool {
        self.text().starts_with('*')
    }
}

fn item(min: u32, max: u32) -> impl Strategy<Value = Item> {
    let size = max - min + 1;
    let step = prop_oneof![4 => 1..=size / 4, 2 => 1..=size, 1 => size..=2 * size];
    prop_oneof![
        2 => Just(Item::Star),
        // Steps up to the size of the field; larger ones are refused in times of day.
        2 => (1..=size).prop_map(Item::Step),
        4 => (min..=max).prop_map(Item::Value),
        1 => (min..=max, 1..=size).prop_map(|(low, step)| Item::From(low, step)),
        2 => (min..=max, min..=max, step).prop_map(|(low, high, step)| {
            Item::Range(low, high, step)
        }),
    ]
}

pub(crate) fn list(min: u32, max: u32) -> impl Strategy<Value = List> {
    prop::collection::vec(item(min, max), 1..3).prop_map(move |items| List { min, max, items })
}

/// The day of the month, with the forms that depend on the month.
#[derive(Clone, Debug)]
pub(crate) enum Day {
    List(List),
    Last,
    LastWorkday,
    Nearest(u32),
    /// This many days before the last.
    BeforeLast(u32),
    NearestBeforeLast(u32),
    /// Keyword form only; 6 means the last.
    Nth(u32, u32),
}

impl Day {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::List(list) => list.text(),
            Self::Last => "L".to_owned(),
            Self::LastWorkday => "LW".to_owned(),
            Self::Nearest(day) => format!("{day}W"),
            Self::BeforeLast(count) => format!("L-{count}"),
            Self::NearestBeforeLast(count) => format!("L-{count}W"),
            Self::Nth(nth, weekday) => {
                let nth = ["1st", "2nd", "3rd", "4th", "5th", "last"][*nth as usize - 1];
                format!("{nth} {}", WEEKDAYS[*weekday as usize])
            }
        }
    }

    fn has(&self, date: NaiveDate) -> bool {
        match self {
            Self::List(list) => list.has(date.day()),
            Self::Last => next_day(date).month() != date.month(),
            Self::LastWorkday => month(date).filter(|day| is_workday(*day)).last() == Some(date),
            Self::Nearest(day) => is_nearest(date, date.with_day(*day)),
            Self::BeforeLast(count) => days_before_last(date, *count) == Some(date),
            Self::NearestBeforeLast(count) => is_nearest(date, days_before_last(date, *count)),
            Self::Nth(nth, weekday) => is_nth(date, *nth, *weekday),
        }
    }

    fn restricts(&self) -> bool {
        !matches!(self, Self::List(list) if list.begins_with_star())
    }
}

/// The weekday.
#[derive(Clone, Debug)]
pub(crate) enum Weekday {
    Star,
    Names(Vec<u32>),
    /// From one weekday to another, across the end of the week if necessary.
    Range(u32, u32),
    Nth(u32, u32),
    Last(u32),
}

impl Weekday {
    pub(crate) fn text(&self) -> String {
        let name = |day: &u32| WEEKDAYS[*day as usize];
        match self {
            Self::Star => "*".to_owned(),
            Self::Names(days) => days.iter().map(name).collect::<Vec<_>>().join(","),
            Self::Range(first, last) => format!("{}-{}", name(first), name(last)),
            Self::Nth(day, nth) => format!("{}#{nth}", name(day)),
            Self::Last(day) => format!("{}L", name(day)),
        }
    }

    fn has(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        match self {
            Self::Star => true,
            Self::Names(days) => days.contains(&weekday),
            Self::Range(first, last) => (weekday + 7 - first) % 7 <= (last + 7 - first) % 7,
            Self::Nth(day, nth) => is_nth(date, *nth, *day),
            Self::Last(day) => is_nth(date, 6, *day),
        }
    }
}

fn month(date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (1..=31).filter_map(move |day| date.with_day(day))
}

fn next_day(date: NaiveDate) -> NaiveDate {
    date + TimeDelta::days(1)
}

fn is_workday(date: NaiveDate) -> bool {
    date.weekday().num_days_from_monday() < 5
}

/// Returns `true` if a date is the workday of its month nearest to `wanted`.
fn is_nearest(date: NaiveDate, wanted: Option<NaiveDate>) -> bool {
    // Two workdays are never equally near, since a weekend has two days.
    wanted.is_some_and(|wanted| {
        let workdays = month(date).filter(|day| is_workday(*day));
        workdays.min_by_key(|day| (*day - wanted).num_days().abs()) == Some(date)
    })
}

/// Returns the day this many days before the last of the month, if the month is long enough.
fn days_before_last(date: NaiveDate, count: u32) -> Option<NaiveDate> {
    let days: Vec<_> = month(date).collect();
    days.into_iter().rev().nth(count as usize)
}

fn is_nth(date: NaiveDate, nth: u32, weekday: u32) -> bool {
    if date.weekday().num_days_from_sunday() != weekday {
        return false;
    }
    let same: Vec<_> = month(date)
        .filter(|day| day.weekday() == date.weekday())
        .collect();
    let wanted = if nth == 6 {
        same.last()
    } else {
        same.get(nth as usize - 1)
    };
    wanted == Some(&date)
}

/// A cron expression in one of its two forms.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) keyword: bool,
    pub(crate) second: u32,
    pub(crate) minute: List,
    pub(crate) hour: List,
    pub(crate) day: Day,
    pub(crate) month: List,
    pub(crate) weekday: Weekday,
    pub(crate) week: Option<List>,
    pub(crate) gap: Option<&'static str>,
    pub(crate) fold: Option<&'static str>,
}

impl Expr {
    /// Returns the text form of the trigger, without a time zone.
    pub(crate) fn text(&self) -> String {
        let mut text = if self.keyword {
            let week = self
                .week
                .as_ref()
                .map_or_else(String::new, |week| format!(" week={}", week.text()));
            format!(
                "cron month={} day='{}'{week} day_of_week={} hour={} minute={} second={}",
                self.month.text(),
                self.day.text(),
                self.weekday.text(),
                self.hour.text(),
                self.minute.text(),
                self.second
            )
        } else {
            format!(
                "cron {} {} {} {} {} {}",
                self.second,
                self.minute.text(),
                self.hour.text(),
                self.day.text(),
                self.month.text(),
                self.weekday.text()
            )
        };
        for (key, value) in [("gap", self.gap), ("fold", self.fold)] {
            if let Some(value) = value {
                let _ = write!(text, " {key}={value}");
            }
        }
        text
    }

    fn has_date(&self, date: NaiveDate) -> bool {
        let (day, weekday) = (self.day.has(date), self.weekday.has(date));
        let either =
            !self.keyword && self.day.restricts() && !matches!(self.weekday, Weekday::Star);
        self.month.has(date.month())
            && (if either {
                day || weekday
            } else {
                day && weekday
            })
            && self
                .week
                .as_ref()
                .is_none_or(|week| week.has(date.iso_week().week()))
    }

    /// Returns the fire times after `from` and up to `to`.
    pub(crate) fn fires(
        &self,
        zone: Tz,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<DateTime<Utc>> {
        let fixed = self.hour.is_plain() && self.minute.is_plain();
        let next = self.gap.map_or(fixed, |gap| gap == "next");
        let both = self.fold.map_or(!fixed, |fold| fold == "both");
        let mut fires = BTreeSet::new();
        // Local time differs from UTC by at most a day; a skipped day adds another.
        let mut date = from.date_naive() - TimeDelta::days(3);
        while date <= to.date_naive() + TimeDelta::days(2) {
            for minute in 0..if self.has_date(date) { 1440 } else { 0 } {
                let (hour, minute) = (minute / 60, minute % 60);
                if !self.hour.has(hour) || !self.minute.has(minute) {
                    continue;
                }
                let local = date.and_hms_opt(hour, minute, self.second).unwrap();
                fires.extend(instants(zone, local, next, both));
            }
            date = next_day(date);
        }
        fires
            .into_iter()
            .filter(|at| *at > from && *at <= to)
            .collect()
    }
}

fn weekday() -> impl Strategy<Value = Weekday> {
    prop_oneof![
        4 => Just(Weekday::Star),
        2 => prop::collection::vec(0..7_u32, 1..3).prop_map(Weekday::Names),
        2 => (0..7_u32, 0..7_u32).prop_map(|(first, last)| Weekday::Range(first, last)),
        1 => (0..7_u32, 1..=5_u32).prop_map(|(day, nth)| Weekday::Nth(day, nth)),
        1 => (0..7_u32).prop_map(Weekday::Last),
    ]
}

fn day() -> impl Strategy<Value = Day> {
    prop_oneof![
        4 => Just(Day::List(List { min: 1, max: 31, items: vec![Item::Star] })),
        4 => list(1, 31).prop_map(Day::List),
        1 => Just(Day::Last),
        1 => Just(Day::LastWorkday),
        2 => (1..=31_u32).prop_map(Day::Nearest),
        1 => (1..=30_u32).prop_map(Day::BeforeLast),
        1 => (1..=30_u32).prop_map(Day::NearestBeforeLast),
        1 => (1..=6_u32, 0..7_u32).prop_map(|(nth, weekday)| Day::Nth(nth, weekday)),
    ]
}

fn any_month() -> impl Strategy<Value = List> {
    prop_oneof![
        3 => Just(List { min: 1, max: 12, items: vec![Item::Star] }),
        1 => list(1, 12),
    ]
}

/// Generates any expression of either form.
pub(crate) fn expr() -> impl Strategy<Value = Expr> {
    let dates = (
        day(),
        any_month(),
        weekday(),
        prop::option::weighted(0.2, list(1, 53)),
    );
    let times = (
        list(0, 23),
        list(0, 59),
        prop_oneof![3 => Just(0), 1 => 0..60_u32],
    );
    let changes = (
        prop::option::weighted(0.3, prop_oneof![Just("next"), Just("skip")]),
        prop::option::weighted(0.3, prop_oneof![Just("first"), Just("both")]),
    );
    (any::<bool>(), dates, times, changes).prop_map(
        |(keyword, (day, month, weekday, week), (hour, minute, second), (gap, fold))| Expr {
            keyword: keyword || matches!(day, Day::Nth(..)),
            week: week.filter(|_| keyword),
            second,
            minute,
            hour,
            day,
            month,
            weekday,
            gap,
            fold,
        },
    )
}
