//! The days of a cron trigger in words.

use crate::civil::{FIRST_YEAR, LAST_YEAR};
use crate::cron::Cron;
use crate::cron::days::{ALL_DAYS, ALL_WEEKDAYS, ALL_WEEKS, ALL_YEARS, LAST, Special};
use crate::describe::shape::{Shape, listed};
use crate::describe::wording::{LONGEST_LIST, joined, month_name, ordinal, weekday_name};

/// Monday to Friday.
pub(crate) const WORKDAYS: u8 = 0b011_1110;
const WEEKEND: u8 = 0b100_0001;

/// The days on which a trigger fires.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// `every day`, to begin a sentence with, if there is such a form.
    pub(super) every: Option<String>,
    /// `on weekdays`, to continue a sentence; empty if it fires every day.
    pub(super) on: String,
    /// The months, weeks and years, if `on` has not named them.
    pub(super) within: String,
    /// `true` if `on` only names weekdays, which read better after the times.
    pub(super) is_weekdays: bool,
}

impl Dates {
    /// Combines days of two kinds. The years and weeks apply to both, so they come first.
    fn of_two(within: &str, days: &str) -> Self {
        Self {
            on: format!("{within} {days}").trim_start().to_owned(),
            ..Self::default()
        }
    }
}

/// The conditions of the day fields, except those that restrict nothing.
#[derive(Debug)]
pub(crate) struct DayRule<'a> {
    /// `None` if any day of the month matches.
    pub(crate) by_day: Option<(u32, &'a Special)>,
    /// `None` if any weekday matches.
    pub(crate) by_weekday: Option<(u8, u64)>,
    /// `true` if either of the two is enough.
    pub(crate) either: bool,
}

impl<'a> DayRule<'a> {
    pub(crate) fn of(cron: &'a Cron) -> Self {
        const NONE: &Special = &Special::NONE;
        let special = cron.special.as_deref().unwrap_or(NONE);
        let by_day = (cron.days != ALL_DAYS).then_some((cron.days, special));
        let by_weekday =
            (cron.weekdays != ALL_WEEKDAYS).then_some((cron.weekdays, special.weekday_nth));
        if cron.either && (by_day.is_none() || by_weekday.is_none()) {
            // One of them matches every day.
            return Self {
                by_day: None,
                by_weekday: None,
                either: false,
            };
        }
        Self {
            by_day,
            by_weekday,
            either: cron.either,
        }
    }
}

/// Returns `None` if the words would be harder to understand than the expression.
pub(super) fn dates(cron: &Cron) -> Option<Dates> {
    let months = Shape::of(u64::from(cron.months), 1, 12);
    let special = cron.special.as_deref().unwrap_or(&Special::NONE);
    let rule = DayRule::of(cron);
    let within = format!("{}{}", weeks(special)?, years(special)?);
    if let Some(date) = one_date(&rule, &months, special) {
        return Some(Dates {
            on: date,
            ..Dates::default()
        });
    }
    // Within a single year, November to February are two stretches.
    let season = season(&months).filter(|(from, to)| from < to || special.years == ALL_YEARS);
    let of = of_months(&months, season)?;
    let in_months = in_months(&months, season)?;
    let dates = match (rule.by_day, rule.by_weekday) {
        (None, None) => Dates {
            every: Some("every day".to_owned()),
            within: format!("{in_months}{within}"),
            ..Dates::default()
        },
        (None, Some((weekdays, 0))) => Dates {
            every: (weekdays == WORKDAYS).then(|| "every weekday (Monday to Friday)".to_owned()),
            on: on_weekdays(weekdays),
            within: format!("{in_months}{within}"),
            is_weekdays: true,
        },
        (None, Some((weekdays, nth))) => {
            match weekday_terms(weekdays, nth, &of, &in_months)?.as_slice() {
                [only] => Dates {
                    on: only.clone(),
                    within,
                    ..Dates::default()
                },
                terms => Dates::of_two(&within, &joined(terms, "and")),
            }
        }
        (Some((days, special)), None) => Dates {
            on: format!("on {} {of}", day_terms(days, special)?),
            within,
            ..Dates::default()
        },
        (Some((days, special)), Some((weekdays, nth))) if rule.either => {
            let also = joined(&weekday_terms(weekdays, nth, &of, &in_months)?, "and");
            let days = day_terms(days, special)?;
            Dates::of_two(&within, &format!("on {days} {of} and also {also}"))
        }
        (Some((days, special)), Some((weekdays, nth))) => Dates {
            on: format!(
                "on {} {of}{within}, only when that is {},",
                day_terms(days, special)?,
                weekday_choice(weekdays, nth)?
            ),
            ..Dates::default()
        },
    };
    Some(dates)
}

/// `on Mondays in May`, `on the second Tuesday of May`, or both.
fn weekday_terms(weekdays: u8, nth: u64, of: &str, in_months: &str) -> Option<Vec<String>> {
    let mut terms = Vec::new();
    if weekdays != 0 {
        terms.push(format!("{}{in_months}", on_weekdays(weekdays)));
    }
    if nth != 0 {
        terms.push(format!("on {} {of}", nth_days(nth)?));
    }
    Some(terms)
}

/// One day of one month: `on 24 December 2027`.
fn one_date(rule: &DayRule<'_>, months: &Shape, special: &Special) -> Option<String> {
    let (Some((days, _)), None, Shape::One(month)) = (rule.by_day, rule.by_weekday, months) else {
        return None;
    };
    let only_days = Special {
        years: special.years,
        ..Special::NONE
    };
    let Shape::One(day) = Shape::of(u64::from(days), 1, 31) else {
        return None;
    };
    if *special != only_days {
        return None;
    }
    let date = format!("{day} {}", month_name(*month));
    Some(match year_shape(special) {
        Shape::One(year) => format!("on {date} {year}"),
        Shape::All if (day, *month) == (29, 2) => format!("on {date} of every leap year"),
        Shape::All => format!("every year on {date}"),
        _ => format!("on {date}{}", years(special)?),
    })
}

/// `the 1st and 15th`, `the last day`, `the second Tuesday`.
fn day_terms(days: u32, special: &Special) -> Option<String> {
    let mut terms = Vec::new();
    match Shape::of(u64::from(days), 1, 31) {
        Shape::Run(first, last) if last - first > 1 => {
            terms.push(format!("the {} to the {}", ordinal(first), ordinal(last)));
        }
        Shape::Steps { first, last, step } if last - first > 2 * step => terms.push(format!(
            "every {} day from the {} to the {}",
            ordinal(step),
            ordinal(first),
            ordinal(last)
        )),
        shape => terms.extend(shape.runs(0, None).into_iter().map(|(first, last)| {
            if first == last {
                format!("the {}", ordinal(first))
            } else {
                format!("the {} to the {}", ordinal(first), ordinal(last))
            }
        })),
    }
    if terms.len() > LONGEST_LIST {
        return None;
    }
    if special.last {
        terms.push("the last day".to_owned());
    }
    if special.last_workday {
        terms.push("the last weekday (Monday to Friday)".to_owned());
    }
    terms.extend(bits(special.before_last).map(before_last));
    let nearest = bits(special.nearest).map(|day| format!("the {}", ordinal(day)));
    let nearest = nearest.chain(bits(special.nearest_before_last).map(before_last));
    terms.extend(nearest.map(|day| format!("the weekday (Monday to Friday) nearest to {day}")));
    if terms.len() > LONGEST_LIST {
        return None;
    }
    if special.day_nth != 0 {
        terms.push(nth_days(special.day_nth)?);
    }
    (!terms.is_empty()).then(|| joined(&terms, "and"))
}

fn bits(set: u32) -> impl Iterator<Item = u32> {
    (1..=31).filter(move |bit| set >> bit & 1 == 1)
}

/// `the day 3 days before the last day`.
fn before_last(count: u32) -> String {
    match count {
        1 => "the day before the last day".to_owned(),
        _ => format!("the day {count} days before the last day"),
    }
}

/// `the second Tuesday and the last Friday`.
fn nth_days(set: u64) -> Option<String> {
    let terms = nth_terms(set);
    (!terms.is_empty() && terms.len() <= LONGEST_LIST).then(|| joined(&terms, "and"))
}

fn nth_terms(set: u64) -> Vec<String> {
    const NAMES: [&str; LAST as usize] = ["first", "second", "third", "fourth", "fifth", "last"];
    (0..LAST * 7)
        .filter(|bit| set >> bit & 1 == 1)
        .map(|bit| {
            format!(
                "the {} {}",
                NAMES[(bit / 7) as usize],
                weekday_name(bit % 7)
            )
        })
        .collect()
}

/// Monday first, as readers expect.
fn weekday_names(weekdays: u8) -> Vec<String> {
    [1, 2, 3, 4, 5, 6, 0]
        .into_iter()
        .filter(|weekday| weekdays >> weekday & 1 == 1)
        .map(weekday_name)
        .collect()
}

fn on_weekdays(weekdays: u8) -> String {
    match weekdays {
        WORKDAYS => "on weekdays".to_owned(),
        WEEKEND => "on Saturdays and Sundays".to_owned(),
        _ if weekdays.count_ones() == 6 => {
            format!(
                "on all days but {}s",
                weekday_names(!weekdays & ALL_WEEKDAYS).concat()
            )
        }
        _ => {
            let names: Vec<_> = weekday_names(weekdays)
                .into_iter()
                .map(|name| name + "s")
                .collect();
            format!("on {}", joined(&names, "and"))
        }
    }
}

/// `a Friday`, `a Monday or the last Friday`.
fn weekday_choice(weekdays: u8, nth: u64) -> Option<String> {
    let mut terms: Vec<_> = match weekdays {
        WORKDAYS => vec!["a weekday (Monday to Friday)".to_owned()],
        _ => weekday_names(weekdays)
            .into_iter()
            .map(|name| format!("a {name}"))
            .collect(),
    };
    terms.extend(nth_terms(nth));
    (!terms.is_empty() && terms.len() <= LONGEST_LIST).then(|| joined(&terms, "or"))
}

/// `of each month`, `of January and July`.
fn of_months(months: &Shape, season: Option<(u32, u32)>) -> Option<String> {
    Some(match (months, season) {
        (Shape::All, _) => "of each month".to_owned(),
        (_, Some((from, to))) => format!(
            "of each month from {} to {}",
            month_name(from),
            month_name(to)
        ),
        _ => format!("of {}", month_names(months)?),
    })
}

/// Returns the first and the last month if they are consecutive, also across the turn of the year.
fn season(months: &Shape) -> Option<(u32, u32)> {
    match (months, months.runs(0, Some((1, 12))).as_slice()) {
        (Shape::Run(from, to), _) if to - from > 1 => Some((*from, *to)),
        (Shape::List(values), [(from, to)]) if values.len() > 2 => Some((*from, *to)),
        _ => None,
    }
}

/// ` in January and July`; empty for all months.
fn in_months(months: &Shape, season: Option<(u32, u32)>) -> Option<String> {
    Some(match (months, season) {
        (Shape::All, _) => String::new(),
        (_, Some((from, to))) => format!(" from {} to {}", month_name(from), month_name(to)),
        _ => format!(" in {}", month_names(months)?),
    })
}

fn month_names(months: &Shape) -> Option<String> {
    let names: Vec<_> = months.values(0).into_iter().map(month_name).collect();
    (!names.is_empty()).then(|| joined(&names, "and"))
}

fn weeks(special: &Special) -> Option<String> {
    if special.weeks == ALL_WEEKS {
        return Some(String::new());
    }
    Some(match Shape::of(special.weeks, 1, 53) {
        Shape::One(week) => format!(" in ISO week {week}"),
        Shape::Run(from, to) if to - from > 1 => format!(" in the ISO weeks {from} to {to}"),
        Shape::Steps { first, last, step } if last - first > 2 * step => {
            format!(
                " in every {} ISO week from {first} to {last}",
                ordinal(step)
            )
        }
        shape => format!(" in the ISO weeks {}", numbers(&shape)?),
    })
}

fn year_shape(special: &Special) -> Shape {
    let first = FIRST_YEAR.unsigned_abs();
    let last = LAST_YEAR.unsigned_abs();
    let years = (first..=last).filter(|year| {
        let bit = year - first;
        special
            .years
            .get((bit / 64) as usize)
            .is_some_and(|word| word >> (bit % 64) & 1 == 1)
    });
    Shape::of_values(years, first, last)
}

fn years(special: &Special) -> Option<String> {
    if special.years == ALL_YEARS {
        return Some(String::new());
    }
    Some(match year_shape(special) {
        Shape::One(year) => format!(" in {year}"),
        Shape::Run(from, to) if to - from > 1 => format!(" in the years {from} to {to}"),
        Shape::Steps { first, last, step } if last - first > 2 * step => {
            format!(" in every {} year from {first} to {last}", ordinal(step))
        }
        shape => format!(" in the years {}", numbers(&shape)?),
    })
}

fn numbers(shape: &Shape) -> Option<String> {
    listed(&shape.runs(0, None), |number| number.to_string())
}
