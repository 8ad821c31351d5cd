//! From the values of the fields to a cron trigger.

use crate::cron::Cron;
use crate::days::{ALL_DAYS, ALL_WEEKDAYS, ALL_WEEKS, Special};
use crate::error::TriggerError;
use crate::field::Field;
use crate::item::Values;

/// The fields in the order of [`Field::ALL`].
pub(crate) struct Fields<'a> {
    pub(crate) values: &'a [Values; 8],
    pub(crate) keyword: bool,
    pub(crate) text: String,
}

impl From<&Fields<'_>> for Cron {
    /// The fields as they are, whether or not they can fire.
    #[allow(clippy::cast_possible_truncation)] // each set is as wide as its field
    fn from(fields: &Fields<'_>) -> Self {
        let [year, month, day, week, weekday, hour, minute, second] = fields.values;
        let special = Special {
            weekday_nth: weekday.special.weekday_nth,
            weeks: week.bits[0],
            years: year.bits,
            ..day.special
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
            text: fields.text.as_str().into(),
        }
    }
}

impl Fields<'_> {
    pub(crate) fn build(&self) -> Result<Cron, TriggerError> {
        let cron = Cron::from(self);
        if cron.can_fire() {
            Ok(cron)
        } else {
            Err(self.never(&cron))
        }
    }

    /// Why the fields contradict each other.
    fn never(&self, cron: &Cron) -> TriggerError {
        let [_, month, day, week, weekday, ..] = self.values;
        let special = cron.special.as_deref();
        let weeks_free = special.is_none_or(|special| special.weeks == ALL_WEEKS);
        let weekdays_free = cron.weekdays == ALL_WEEKDAYS;
        let without = |change: fn(&mut Cron)| {
            let mut cron = cron.clone();
            change(&mut cron);
            cron.can_fire()
        };
        if !weeks_free && without(|cron| cron.special.iter_mut().for_each(|s| s.weeks = ALL_WEEKS))
        {
            return TriggerError::new(format!(
                "no day lies in week {} and also matches the other fields, so the trigger would \
                 never fire",
                week.text
            ))
            .in_field(Field::Week.name());
        }
        if weekdays_free && without(|cron| cron.days = ALL_DAYS) {
            return TriggerError::new(format!(
                "day {} never occurs in month {}, so the trigger would never fire",
                day.text, month.text
            ))
            .in_field(Field::Day.name())
            .write("L");
        }
        TriggerError::new(format!(
            "no date has day {}, month {} and day_of_week {}, so the trigger would never fire",
            day.text, month.text, weekday.text
        ))
        .in_field(Field::Day.name())
    }
}
