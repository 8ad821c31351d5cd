//! Periods that are not as even as they look: days of 24 hours, and weeks that are numbered anew.

use chrono::{DateTime, NaiveDateTime};

use crate::bounds::Bounds;
use crate::civil::DAY;
use crate::cron::Cron;
use crate::cron::field::Field;
use crate::describe::wording::clock;
use crate::moment::When;
use crate::warnings::changes;
use crate::warnings::steps::text_of;
use crate::zone::Zone;

/// An interval of so many times 24 hours, whose time of day moves where clocks change.
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
    if let Some(start @ (When::Wall(_) | When::Date(_))) = bounds.start {
        let wall: NaiveDateTime = start.rough();
        text.push_str(&wall.format(" time=%H:%M:%S start=%Y-%m-%d").to_string());
        if let Some(zone) = zone {
            text.extend([" timezone=", zone.name()]);
        }
    }
    Some(format!("it counts {unit}: {which}; `{text}` keeps it"))
}

/// Steps of ISO weeks, which begin anew with each year, of 52 weeks or 53.
pub(crate) fn of_weeks(cron: &Cron, next: Option<i64>) -> Option<String> {
    let text = text_of(cron, Field::Week)?;
    let (range, step) = text.split_once('/')?;
    let step: u32 = step.parse().ok().filter(|step| (2..=26).contains(step))?;
    // A range that ends within the year is a season.
    let goes_on = !range.contains('-') || range.ends_with("-52") || range.ends_with("-53");
    if text.contains(',') || !goes_on {
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

/// The calendar interval from the next fire time on, where there is one in each of the weeks.
fn as_calendar(cron: &Cron, step: u32, next: Option<i64>) -> Option<String> {
    let once = cron.weekdays.is_power_of_two()
        && cron.hours.is_power_of_two()
        && cron.minutes.is_power_of_two()
        && cron.seconds.is_power_of_two()
        && cron.days == crate::cron::days::ALL_DAYS
        && cron.months == crate::cron::days::ALL_MONTHS;
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
    let zone = cron.zone.map(|zone| format!(" timezone={zone}"));
    once.then(|| {
        let zone = zone.unwrap_or_default();
        format!("calendar weeks={step} time={time} start={date}{zone}")
    })
}
