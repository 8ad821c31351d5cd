//! Periods that are not as regular as they look: days of 24 hours, and weeks whose numbers start over each year.

use chrono::{DateTime, NaiveDateTime};

use crate::bounds::Bounds;
use crate::civil::DAY;
use crate::cron::Cron;
use crate::cron::days::{ALL_YEARS, Special};
use crate::cron::field::Field;
use crate::describe::wording::clock;
use crate::moment::When;
use crate::options::Options;
use crate::trigger::Trigger;
use crate::warnings::changes;
use crate::warnings::steps::text_of;
use crate::zone::Zone;

/// Returns a warning about an interval of `days` times 24 hours, whose time of day moves when clocks change.
pub(crate) fn of_interval(
    days: i64,
    bounds: &Bounds,
    zone: Option<Zone>,
    now: i64,
) -> Option<String> {
    let unit = match days {
        1 => "24 hours".to_owned(),
        _ => format!("{days} days of 24 hours"),
    };
    let which = match zone {
        // A start that is given as an instant counts in UTC.
        None if matches!(bounds.start, Some(When::Instant(_))) => return None,
        None => "where clocks change, its time of day moves".to_owned(),
        Some(zone) if changes::are_ahead(zone, now) => {
            format!("its time of day moves when the clocks of {zone} change")
        }
        Some(_) => return None,
    };
    let mut text = match days {
        _ if days % 7 == 0 => format!("calendar weeks={}", days / 7),
        _ => format!("calendar days={days}"),
    };
    match bounds.start {
        Some(start @ (When::Wall(_) | When::Date(_))) => {
            let wall: NaiveDateTime = start.rough();
            text.push_str(&wall.format(" time=%H:%M:%S%.f start=%Y-%m-%d").to_string());
        }
        _ => text.push_str(" time=00:00"),
    }
    let bounds = Bounds {
        start: None,
        ..*bounds
    };
    let options = Options {
        zone,
        bounds,
        ..Options::NONE
    };
    let mut warning = format!("it counts {unit}: {which}");
    match calendar(text, &options) {
        Some(text) if text.contains(" start=") => warning.extend(["; `", &text, "` keeps it"]),
        Some(text) => warning.extend(["; `", &text, "`, with your time of day, keeps it"]),
        None => {}
    }
    Some(warning)
}

/// Returns a calendar interval with options, if it can be written.
fn calendar(text: String, options: &Options) -> Option<String> {
    let text = format!("{text}{options}");
    text.parse::<Trigger>().is_ok().then_some(text)
}

/// Returns a warning about steps of ISO weeks, which start over each year, after 52 or 53 weeks.
pub(crate) fn of_weeks(cron: &Cron, next: Option<i64>) -> Option<String> {
    let text = text_of(cron, Field::Week)?;
    let (range, step) = text.split_once('/')?;
    let step: u32 = step.parse().ok().filter(|step| (2..=26).contains(step))?;
    // A range that ends within the year is a season.
    let goes_on = !range.contains('-') || range.ends_with("-52") || range.ends_with("-53");
    let years = cron.special.as_deref().map_or(ALL_YEARS, |s| s.years);
    let is_one_year = years.map(u64::count_ones).iter().sum::<u32>() == 1;
    if text.contains(',') || !goes_on || is_one_year {
        return None;
    }
    let mut warning = format!(
        "`{text}` in week begins anew every year, which has 52 weeks or 53: over the turn of a year it \
         is not always {step} weeks"
    );
    if let Some(calendar) = as_calendar(cron, step, next) {
        warning.extend(["; `", &calendar, "` keeps the distance"]);
    }
    Some(warning)
}

/// Returns the calendar interval from the next fire time on, if there is one fire time in each of the weeks.
fn as_calendar(cron: &Cron, step: u32, next: Option<i64>) -> Option<String> {
    let once = cron.weekdays.is_power_of_two()
        && cron.hours.is_power_of_two()
        && cron.minutes.is_power_of_two()
        && cron.seconds.is_power_of_two()
        && cron.days == crate::cron::days::ALL_DAYS
        && cron.months == crate::cron::days::ALL_MONTHS
        && !cron.frequency;
    let special = cron.special.as_deref()?;
    let only_weeks = Special {
        weeks: special.weeks,
        ..Special::NONE
    };
    let zone = cron.zone.unwrap_or(Zone::UTC);
    let at = next?.div_euclid(1_000_000);
    let offsets = zone.offsets()?;
    let local = at + offsets.segment(offsets.locate(at)).offset;
    let date = DateTime::from_timestamp(local.div_euclid(DAY) * DAY, 0)?.date_naive();
    let time = clock(
        cron.hours.trailing_zeros(),
        cron.minutes.trailing_zeros(),
        cron.seconds.trailing_zeros(),
    );
    let bounds = cron
        .bounds
        .as_deref()
        .map_or(Bounds::NONE, |bounds| Bounds {
            start: None,
            ..*bounds
        });
    let options = Options {
        zone: cron.zone,
        bounds,
        gap: cron.gap,
        fold: cron.fold,
    };
    let text = format!("calendar weeks={step} time={time} start={date}");
    (once && *special == only_weeks)
        .then(|| calendar(text, &options))
        .flatten()
}
