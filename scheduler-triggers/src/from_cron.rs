//! Schedules of the crate `cron` as triggers.

use std::fmt::Write as _;
use std::sync::Arc;

use cron::{Schedule, TimeUnitSpec};

use crate::cron::Cron;
use crate::cron_build::Fields;
use crate::field::{Field, WEEKDAYS};
use crate::item::{Dialect, Values};
use crate::trigger::{Kind, Trigger};

impl From<Schedule> for Trigger {
    /// Takes over a schedule of the crate `cron`: its numbering of weekdays (Sunday is 1), and
    /// day and weekday must both match.
    ///
    /// It is kept in the keyword form, so its text and JSON forms are those of any other trigger.
    /// Evenly spaced values count as a frequency at clock changes, as they were written. A
    /// schedule that names no date at all becomes a trigger that never fires.
    fn from(schedule: Schedule) -> Self {
        let texts = Field::ALL.map(|field| match field {
            Field::Year => list(field, schedule.years()),
            Field::Month => list(field, schedule.months()),
            Field::Day => list(field, schedule.days_of_month()),
            Field::Week => "*".to_owned(),
            Field::DayOfWeek => list(field, schedule.days_of_week()),
            Field::Hour => list(field, schedule.hours()),
            Field::Minute => list(field, schedule.minutes()),
            Field::Second => list(field, schedule.seconds()),
        });
        let mut text = String::new();
        let mut fields = Field::ALL.map(|_| Values::nothing());
        for (field, value) in Field::ALL.into_iter().zip(&texts) {
            // Only what a list cannot say is left out: fields that are free, unless they would
            // then count as below the least significant one.
            if value != "*" || field == Field::Second {
                let space = if text.is_empty() { "" } else { " " };
                let _ = write!(text, "{space}{}={value}", field.name());
            }
            fields[field as usize] =
                Values::parse(field, Dialect::Keyword, value).unwrap_or_else(|_| Values::nothing());
        }
        let fields = Fields {
            values: &fields,
            keyword: true,
            text,
        };
        Self(Kind::Cron(Arc::new(Cron::from(&fields))))
    }
}

/// The values of a field as text: `*`, `*/5`, `8-17`, or a list.
fn list(field: Field, spec: &impl TimeUnitSpec) -> String {
    let first = u32::from(field == Field::DayOfWeek);
    let values: Vec<u32> = spec
        .iter()
        .map(|value| value - first)
        .filter(|value| *value <= field.max())
        .collect();
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    if spec.is_all() || count == field.max() - field.min() + 1 {
        return "*".to_owned();
    }
    let name = |value: &u32| match field {
        Field::DayOfWeek => usize::try_from(*value)
            .ok()
            .and_then(|index| WEEKDAYS.get(index))
            .map_or_else(String::new, |name| (*name).to_owned()),
        _ => value.to_string(),
    };
    if let [low, second, .., high] = values.as_slice() {
        let step = second - low;
        let even = values.windows(2).all(|pair| pair[1] - pair[0] == step);
        if even && step == 1 {
            return format!("{}-{}", name(low), name(high));
        }
        if even && field != Field::DayOfWeek {
            let all = *low == field.min() && high + step > field.max();
            return if all {
                format!("*/{step}")
            } else {
                format!("{low}-{high}/{step}")
            };
        }
    }
    values.iter().map(name).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(expr: &str) -> Trigger {
        Trigger::from(expr.parse::<Schedule>().unwrap())
    }

    #[test]
    fn texts_are_short_and_parse_back() {
        for (expr, text) in [
            (
                "0 0 6 * * Mon-Fri *",
                "cron day_of_week=mon-fri hour=6 minute=0 second=0",
            ),
            ("0 */5 * * * * *", "cron minute=*/5 second=0"),
            ("* * * * * * *", "cron second=*"),
            (
                "0 0 0 1 * 1 2027-2029",
                "cron year=2027-2029 day=1 day_of_week=sun hour=0 minute=0 second=0",
            ),
            ("0 0,7 9-17 * * * *", "cron hour=9-17 minute=0,7 second=0"),
        ] {
            let trigger = convert(expr);
            assert_eq!(trigger.to_string(), text);
            assert_eq!(text.parse::<Trigger>().unwrap(), trigger);
        }
    }

    #[test]
    fn a_schedule_without_dates_never_fires() {
        let never = convert("0 0 0 31 2 * *");
        assert_eq!(never.next_after(chrono::DateTime::UNIX_EPOCH), None);
        let late = convert("0 0 0 1 1 * 2100");
        assert_eq!(late.next_after(chrono::DateTime::UNIX_EPOCH), None);
    }
}
