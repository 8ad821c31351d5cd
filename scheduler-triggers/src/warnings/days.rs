//! Days that do not exist in every month, and combinations of day fields.

use chrono::Datelike;

use crate::calendar::Calendar;
use crate::civil::days_in_month;
use crate::cron::Cron;
use crate::cron::days::{ALL_MONTHS, ALL_WEEKS, ALL_YEARS, Special};
use crate::cron::field::Field;
use crate::describe::DayRule;
use crate::describe::wording::{joined, month_name, ordinal};
use crate::moment::from_micros;
use crate::warnings::steps::{Step, ranges, text_of};

const LEAP: i32 = 2028;
const COMMON: i32 = 2027;
/// More days than this are a stretch of the month, whose last days are not expected in every month.
const FEW: u32 = 3;

/// Returns the rule that applies if day and weekday are both given.
pub(crate) fn both(cron: &Cron) -> Option<String> {
    let rule = DayRule::of(cron);
    let text = match (rule.by_day.is_some(), rule.by_weekday.is_some()) {
        (true, true) if rule.either => {
            "day and weekday are both restricted: it runs when either of them matches, as in \
             crontab, not only when both do"
        }
        (true, true) if cron.keyword => {
            "day and weekday are both restricted: it runs only when both match"
        }
        (true, true) => {
            "day and weekday must both match, since one of them begins with `*`: in crontab \
             either is enough only where neither does"
        }
        _ if cron.either => {
            "day and weekday are both given and either of them is enough, as in crontab: since \
             one of them allows every day, it runs every day"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Returns a warning about ranges that wrap around in their field, which the values of a larger field cut in two.
pub(crate) fn over_the_end(cron: &Cron) -> Option<String> {
    let rule = DayRule::of(cron);
    let years = cron
        .special
        .as_deref()
        .is_some_and(|s| s.years != ALL_YEARS);
    let months = years || cron.months != ALL_MONTHS;
    let days = months || rule.by_day.is_some() || rule.by_weekday.is_some();
    let hours = days || cron.hours.count_ones() < 24;
    let minutes = hours || cron.minutes.count_ones() < 60;
    let fields = [
        (Field::Month, years, "year"),
        (Field::Day, months, "month"),
        (Field::Hour, days, "day"),
        (Field::Minute, hours, "hour"),
        (Field::Second, minutes, "minute"),
    ];
    fields.into_iter().find_map(|(field, is_cut, above)| {
        let over = |range: &Step<'_>| {
            let mut values = (range.low..=range.high).step_by(range.by as usize);
            // A range of all values does not wrap.
            range.high - range.low + 1 < field.size() && values.any(|value| value > field.max())
        };
        let range = ranges(cron, field).find(over)?;
        let text = range.item.split('/').next().unwrap_or(range.item);
        let (from, to) = (range.low, range.high - field.size());
        let name = field.name();
        match field {
            Field::Hour if (1..from).contains(&to) && from < 12 => Some(format!(
                "`{text}` in hour goes over midnight: {to} is in the morning, and {to} in the afternoon \
                 is {}",
                to + 12
            )),
            _ if !is_cut => None,
            Field::Hour => Some(format!(
                "`{text}` in hour goes over midnight, and both parts lie on the days that are named: \
                 00:00 to {to:02}:59 of such a day comes before its {from:02}:00, not after"
            )),
            _ => Some(format!(
                "`{text}` in {name} goes over the end of the {above}, and both parts lie in the {above}s \
                 that are named: {name} {} to {to} of such {} {above} comes before its {name} {from}, not \
                 after",
                field.min(),
                if above == "hour" { "an" } else { "a" }
            )),
        }
    })
}

/// Returns a warning about a day that does not exist in any month, next to weekdays, which suffice.
pub(crate) fn day_that_never_is(cron: &Cron) -> Option<String> {
    let special = cron.special.as_deref().unwrap_or(&Special::NONE);
    let named = Special {
        weeks: special.weeks,
        weekday_nth: special.weekday_nth,
        years: special.years,
        ..Special::NONE
    };
    let mut dates = (1..=12).filter(|month| cron.months >> month & 1 == 1);
    let exists = |month| cron.days & (u32::MAX >> (31 - days_in_month(LEAP, month))) != 0;
    (cron.either && *special == named && !dates.any(exists)).then(|| {
        format!(
            "day {} never occurs in month {}: it runs on the weekdays alone",
            text_of(cron, Field::Day).unwrap_or_default(),
            text_of(cron, Field::Month).unwrap_or_default()
        )
    })
}

/// Returns a warning about every minute of individually named hours.
pub(crate) fn every_minute(cron: &Cron) -> Option<String> {
    let is_plain = |hours: &str| hours.bytes().all(|b| b.is_ascii_digit() || b == b',');
    text_of(cron, Field::Hour).filter(|hours| is_plain(hours))?;
    text_of(cron, Field::Minute).filter(|minutes| *minutes == "*")?;
    (cron.seconds.is_power_of_two() && cron.hours.count_ones() < 24).then(|| {
        "`*` in minute is every minute of the hours that are named, 60 runs in each: `0` there is once \
         an hour"
            .to_owned()
    })
}

pub(crate) fn missing_in_cron(cron: &Cron, next: Option<i64>) -> Option<String> {
    let rule = DayRule::of(cron);
    let (Some((days, special)), None) = (rule.by_day, rule.by_weekday) else {
        return None;
    };
    if let Some(text) = before_the_first(special, cron.months) {
        return Some(text);
    }
    let others = Special {
        nearest: 0,
        years: Special::NONE.years,
        ..*special
    };
    if special.weeks != ALL_WEEKS || others != Special::NONE {
        return None;
    }
    if days != 0 && special.nearest != 0 {
        return None;
    }
    if let Some(text) = leap_day(days, cron.months, next) {
        return Some(text);
    }
    let text = missing(days | special.nearest, cron.months)?;
    Some(match (special.nearest != 0, cron.keyword) {
        (true, _) => format!("{text}; `LW` is the last weekday of each month"),
        (false, true) => format!("{text}; `last` is the last day of each month"),
        (false, false) => format!("{text}; `L` is the last day of each month"),
    })
}

/// Returns a warning about days that are counted back beyond the first day of some months.
fn before_the_first(special: &Special, months: u16) -> Option<String> {
    let set = special.before_last | special.nearest_before_last;
    let count = set.checked_ilog2().filter(|count| *count >= 28)?;
    let months = (1..=12).filter(|month| months >> month & 1 == 1);
    let lacks = |month: &u32, year: i32| days_in_month(year, *month) <= count;
    let (never, rest): (Vec<_>, Vec<_>) = months.partition(|month| lacks(month, LEAP));
    let follows = if never.is_empty() {
        rest.contains(&2)
            .then(|| "it runs in February in leap years only".to_owned())?
    } else {
        let names: Vec<_> = never.into_iter().map(month_name).collect();
        format!("it names no day in {}", joined(&names, "and"))
    };
    Some(format!(
        "`L-{count}` does not exist in every month: {follows}"
    ))
}

pub(crate) fn missing_in_calendar(calendar: &Calendar, next: Option<i64>) -> Option<String> {
    let start = calendar.start?;
    let step = calendar.years * 12 + calendar.months;
    if step == 0 || calendar.weeks + calendar.days > 0 {
        return None;
    }
    let mut months = 0;
    for count in 0..12 {
        months |= 1 << ((start.month0() + count * (step % 12)) % 12 + 1);
    }
    leap_day(1 << start.day(), months, next).or_else(|| missing(1 << start.day(), months))
}

/// Returns a warning if 29 February is the only date.
fn leap_day(days: u32, months: u16, next: Option<i64>) -> Option<String> {
    const FEBRUARY: u16 = 1 << 2;
    if days != 1 << 29 || months != FEBRUARY {
        return None;
    }
    // The year is the same in all zones.
    let next = next.map_or_else(String::new, |next| {
        let year = from_micros(next).year();
        format!(": the next run is on 29 February {year}")
    });
    Some(format!("29 February exists in leap years only{next}"))
}

/// Returns the consequence of some of the `days` not existing in some of the `months`.
fn missing(days: u32, months: u16) -> Option<String> {
    let months: Vec<u32> = (1..=12).filter(|month| months >> month & 1 == 1).collect();
    let exists = |day: u32, month: u32, year: i32| day <= days_in_month(year, month);
    let lacking: Vec<u32> = (29..=31)
        .filter(|day| days >> day & 1 == 1)
        .filter(|day| months.iter().any(|month| !exists(*day, *month, COMMON)))
        .collect();
    if lacking.is_empty() || days.count_ones() > FEW {
        return None;
    }
    let none_in = |month: u32, year: i32| {
        (1..=31)
            .filter(|day| days >> day & 1 == 1)
            .all(|day| !exists(day, month, year))
    };
    let never: Vec<_> = months
        .iter()
        .filter(|month| none_in(**month, LEAP))
        .map(|month| month_name(*month))
        .collect();
    let in_leap_years = months.contains(&2) && none_in(2, COMMON) && !none_in(2, LEAP);
    let follows = if in_leap_years {
        "it runs in February in leap years only".to_owned()
    } else if never.is_empty() {
        "in the other months it runs on the other days only".to_owned()
    } else {
        format!("it does not run in {}", joined(&never, "and"))
    };
    let names: Vec<_> = lacking.iter().map(|day| ordinal(*day)).collect();
    let does = if names.len() == 1 { "does" } else { "do" };
    let which = if months.len() == 12 {
        "every month"
    } else {
        "all of these months"
    };
    Some(format!(
        "the {} {does} not exist in {which}: {follows}",
        joined(&names, "and")
    ))
}
