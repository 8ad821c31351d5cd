//! Schedules of the crate `cron` as triggers.

use cron::{Schedule, TimeUnitSpec};

use crate::cron::Cron;
use crate::cron::build::Fields;
use crate::cron::days::Special;
use crate::cron::field::{Field, WEEKDAYS};
use crate::cron::item::{Dialect, Values};
use crate::cron::keyword::push;
use crate::trigger::Trigger;

impl From<Schedule> for Trigger {
    /// Converts a schedule of the crate `cron`, with its numbering of weekdays (Sunday is 1) and its rule that day and
    /// weekday must both match.
    ///
    /// It is stored in the keyword form, so its text and JSON forms are those of any other trigger. At clock changes it
    /// is a frequency or a fixed time, as it was written. A schedule that never matches becomes a trigger that never
    /// fires.
    fn from(schedule: Schedule) -> Self {
        let written = |field| written(schedule.source(), field);
        let texts = Field::ALL.map(|field| match field {
            Field::Year => list(field, schedule.years(), written(field)),
            Field::Month => list(field, schedule.months(), written(field)),
            Field::Day => list(field, schedule.days_of_month(), written(field)),
            Field::Week => "*".to_owned(),
            Field::DayOfWeek => list(field, schedule.days_of_week(), written(field)),
            Field::Hour => list(field, schedule.hours(), written(field)),
            Field::Minute => list(field, schedule.minutes(), written(field)),
            Field::Second => list(field, schedule.seconds(), written(field)),
        });
        let (mut special, mut text) = (Special::NONE, String::new());
        let mut values = [Values::NOTHING; 8];
        for (field, value) in Field::ALL.into_iter().zip(&texts) {
            // Only unrestricted fields are left out, unless they would then count as below the least significant one.
            if value != "*" || field == Field::Second {
                push(&mut text, field, value);
            }
            let spelling = &mut String::new();
            values[field as usize] =
                Values::parse(field, Dialect::Keyword, value, &mut special, spelling)
                    .unwrap_or(Values::NOTHING);
        }
        let fields = Fields {
            values,
            special,
            keyword: true,
            text,
        };
        Self::new(Cron::from(fields))
    }
}

/// Returns how a field was written, if that is clear: a schedule may contain blanks inside lists.
fn written(source: &str, field: Field) -> Option<&str> {
    let words: Vec<&str> = source.split_ascii_whitespace().collect();
    let at = match field {
        Field::Minute => 1,
        Field::Hour => 2,
        _ => return None,
    };
    matches!(words.len(), 6 | 7).then(|| words[at])
}

/// Returns the values of a field as text: `*`, `*/5`, `8-17`, or a list. If `written` is known, the text is a frequency
/// if that was one.
fn list(field: Field, spec: &impl TimeUnitSpec, written: Option<&str>) -> String {
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
    let name = |value: u32| match field {
        Field::DayOfWeek => WEEKDAYS[(value % 7) as usize].to_owned(),
        _ => value.to_string(),
    };
    let frequency = written.map(|text| text.contains(['*', '?', '-', '/']));
    if frequency != Some(false)
        && let Some(text) = steps(field, &values, frequency == Some(true), name)
    {
        return text;
    }
    let names = values.iter().map(|value| name(*value)).collect::<Vec<_>>();
    if frequency == Some(true)
        && let [first, ..] = names.as_slice()
    {
        return format!("{first}-{}", names.join(","));
    }
    names.join(",")
}

/// Returns evenly spaced values as a range or a step; two values are enough if the field is `known` to be a frequency.
fn steps(
    field: Field,
    values: &[u32],
    known: bool,
    name: impl Fn(u32) -> String,
) -> Option<String> {
    let ([low, second, ..], Some(high)) = (values, values.last()) else {
        return None;
    };
    let step = second - low;
    let even = values.windows(2).all(|pair| pair[1] - pair[0] == step);
    if !even || (values.len() == 2 && !known) {
        return None;
    }
    let (low, high) = (*low, *high);
    match field {
        _ if step == 1 => Some(format!("{}-{}", name(low), name(high))),
        Field::DayOfWeek => None,
        _ if low == field.min() && high + step > field.max() => Some(format!("*/{step}")),
        _ => Some(format!("{low}-{high}/{step}")),
    }
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
            // The frequency of hour and minute is preserved.
            ("0 */30 2 * * *", "cron hour=2 minute=*/30 second=0"),
            ("0 0,30 2,3,4 * * *", "cron hour=2,3,4 minute=0,30 second=0"),
            ("0 5 1-3,7 * * *", "cron hour=1-1,2,3,7 minute=5 second=0"),
            ("0 5 6-6 * * *", "cron hour=6-6 minute=5 second=0"),
            ("0 5 1, 2, 3 * * *", "cron hour=1-3 minute=5 second=0"),
            (
                "0 15/30 4/5 * * *",
                "cron hour=4-19/5 minute=15-45/30 second=0",
            ),
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
