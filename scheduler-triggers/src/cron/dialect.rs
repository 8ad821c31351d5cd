//! Cron texts of other schedulers: Quartz and `EventBridge` count weekdays from Sunday as 1, and
//! `EventBridge` has a year as the sixth field and no seconds.

use crate::cron::field::WEEKDAYS;

/// Returns the weekday field of Quartz and `EventBridge` with names instead of numbers; `None` if it has no numbers, or
/// is not valid there.
pub(crate) fn named_weekdays(field: &str) -> Option<String> {
    if !field.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let items: Option<Vec<_>> = field.split(',').map(named_item).collect();
    items
        .map(|items| items.join(","))
        .filter(|named| named != field)
}

/// `2-6` as `mon-fri`, `6L` as `friL`, `6#3` as `fri#3`, `2/2` as `mon/2`.
fn named_item(item: &str) -> Option<String> {
    let end = item.find(['#', '/']).unwrap_or(item.len());
    let (days, rest) = item.split_at(end);
    let (days, last) = match days.strip_suffix(['L', 'l']) {
        Some(days) if !days.is_empty() => (days, "L"),
        _ => (days, ""),
    };
    let names: Option<Vec<_>> = days.split('-').map(named_day).collect();
    names.map(|names| format!("{}{last}{rest}", names.join("-")))
}

fn named_day(day: &str) -> Option<&str> {
    match day.parse::<usize>() {
        Ok(number) => WEEKDAYS.get(number.checked_sub(1)?).copied(),
        Err(_) => Some(day),
    }
}

/// Returns an expression of `EventBridge` in this dialect. It has six fields, the last of which is a year, and a `?`
/// for one of the days, where this dialect has the hour or the month.
pub(crate) fn from_eventbridge(words: &[&str]) -> Option<String> {
    let [minute, hour, day, month, weekday, year] = *words else {
        return None;
    };
    if (day == "?") == (weekday == "?") {
        return None;
    }
    let weekday = named_weekdays(weekday).unwrap_or_else(|| weekday.to_owned());
    let fields = format!("{minute} {hour} {day} {month} {weekday}");
    Some(match year {
        "*" => fields,
        _ => format!("0 {fields} {year}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekday_numbers_become_names() {
        for (numbers, names) in [
            ("2-6", Some("mon-fri")),
            ("1", Some("sun")),
            ("7L", Some("satL")),
            ("6#3", Some("fri#3")),
            ("2/2", Some("mon/2")),
            ("2,wed,6", Some("mon,wed,fri")),
            ("6-2", Some("fri-mon")),
            // Sunday is not 0 there.
            ("0", None),
            ("0-6", None),
            ("8", None),
            ("mon-fri", None),
            ("fri#2", None),
            ("*/2", None),
            ("?", None),
        ] {
            assert_eq!(named_weekdays(numbers).as_deref(), names, "{numbers}");
        }
    }

    #[test]
    fn eventbridge_has_a_year_and_no_seconds() {
        let read = |text: &str| from_eventbridge(&text.split(' ').collect::<Vec<_>>());
        assert_eq!(read("0 12 * * ? *").unwrap(), "0 12 * * ?");
        assert_eq!(read("0 10 ? * 2-6 *").unwrap(), "0 10 ? * mon-fri");
        assert_eq!(read("0 8 1 * ? 2027").unwrap(), "0 0 8 1 * ? 2027");
        assert_eq!(read("0 0 12 * * *"), None);
        assert_eq!(read("0 12 ? * ? *"), None);
        assert_eq!(read("0 12 * * ?"), None);
    }
}
