//! Building a cron trigger from the values of its fields.

use crate::cron::Cron;
use crate::cron::days::{ALL_DAYS, ALL_WEEKDAYS, ALL_WEEKS, ALL_YEARS, Special};
use crate::cron::field::Field;
use crate::cron::item::Values;
use crate::error::TriggerError;

/// The fields in the order of [`Field::ALL`].
pub(crate) struct Fields {
    pub(crate) values: [Values; 8],
    /// The parts of the two day fields that are not values.
    pub(crate) special: Special,
    pub(crate) keyword: bool,
    /// All fields that were given, in canonical spelling.
    pub(crate) text: String,
}

impl From<Fields> for Cron {
    /// Takes the fields as they are, even if they can never fire.
    #[allow(clippy::cast_possible_truncation)] // each set is as wide as its field
    fn from(fields: Fields) -> Self {
        let [year, month, day, week, weekday, hour, minute, second] = fields.values;
        let special = Special {
            weeks: week.bits[0],
            years: year.bits,
            ..fields.special
        };
        Self {
            seconds: second.bits[0],
            minutes: minute.bits[0],
            hours: hour.bits[0] as u32,
            days: day.bits[0] as u32,
            months: month.bits[0] as u16,
            weekdays: weekday.bits[0] as u8,
            either: !fields.keyword && !day.star && !weekday.star,
            frequency: hour.frequency || minute.frequency,
            keyword: fields.keyword,
            gap: None,
            fold: None,
            zone: None,
            special: (special != Special::NONE).then(|| Box::new(special)),
            bounds: None,
            text: fields.text.into(),
        }
    }
}

/// Returns why the fields, given as they were written, contradict each other.
pub(crate) fn never(cron: &Cron, written: [&str; 8]) -> TriggerError {
    let [year, month, day, week, weekday, ..] = written;
    let special = cron.special.as_deref();
    let weeks_free = special.is_none_or(|special| special.weeks == ALL_WEEKS);
    let weekdays_free = cron.weekdays == ALL_WEEKDAYS;
    let without = |change: fn(&mut Cron)| {
        let mut cron = cron.clone();
        change(&mut cron);
        cron.can_fire()
    };
    if !weeks_free && without(|cron| cron.special.iter_mut().for_each(|s| s.weeks = ALL_WEEKS)) {
        return TriggerError::new(format!(
            "no day lies in week {week} and also matches the other fields, so the trigger would \
             never fire"
        ))
        .in_field(Field::Week.name());
    }
    if without(|cron| cron.special.iter_mut().for_each(|s| s.years = ALL_YEARS)) {
        return TriggerError::new(format!(
            "no date of year {year} matches the other fields, so the trigger would never fire"
        ))
        .in_field(Field::Year.name());
    }
    if weekdays_free && without(|cron| cron.days = ALL_DAYS) {
        let error = TriggerError::new(format!(
            "day {day} never occurs in month {month}, so the trigger would never fire"
        ))
        .in_field(Field::Day.name());
        // The end of the month was meant, unless it was counted from there.
        return match special.map(|special| (special.nearest, special.before_last_of_any())) {
            Some((_, true)) => error,
            Some((1.., false)) => error.write("LW"),
            _ => error.write("L"),
        };
    }
    TriggerError::new(format!(
        "no date has day {day}, month {month} and day_of_week {weekday}, so the trigger would \
         never fire"
    ))
    .in_field(Field::Day.name())
}
