//! A cron field: a list of items.

use crate::days::Special;
use crate::error::TriggerError;
use crate::field::Field;
use crate::item::{Dialect, Item, Values};
use crate::item_error;

impl Values {
    /// No value at all, in place of what could not be read.
    pub(crate) fn nothing() -> Self {
        Self {
            bits: [0; 3],
            star: false,
            frequency: false,
            special: Special::NONE,
            text: String::new(),
        }
    }

    /// Reads the text of one field. Spans of errors count from the start of that text.
    pub(crate) fn parse(field: Field, dialect: Dialect, text: &str) -> Result<Self, TriggerError> {
        let mut values = Self {
            bits: [0; 3],
            star: text.trim_start().starts_with(['*', '?']),
            frequency: false,
            special: Special {
                weeks: 0,
                years: [0; 3],
                ..Special::NONE
            },
            text: String::with_capacity(text.len()),
        };
        if let Some(error) = item_error::foreign(field, dialect, text) {
            return Err(error);
        }
        let mut errors = Vec::new();
        let mut at = 0;
        for (index, part) in text.split(',').enumerate() {
            if index > 0 {
                values.text.push(',');
            }
            let blanks = part.len() - part.trim_start().len();
            let item = Item {
                field,
                dialect,
                text: part.trim(),
                at: at + blanks,
            };
            at += part.len() + 1;
            if let Err(error) = item.read(&mut values) {
                errors.push(error);
            }
        }
        match TriggerError::several(errors) {
            Some(error) => Err(error),
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(field: Field, text: &str) -> Vec<u32> {
        let values = Values::parse(field, Dialect::Crontab, text).unwrap();
        (0..64)
            .filter(|bit| values.bits[0] >> bit & 1 == 1)
            .collect()
    }

    fn error(field: Field, dialect: Dialect, text: &str) -> TriggerError {
        Values::parse(field, dialect, text).unwrap_err()
    }

    #[test]
    fn lists_ranges_and_steps() {
        assert_eq!(bits(Field::Minute, "*/20"), [0, 20, 40]);
        assert_eq!(bits(Field::Minute, "50/5"), [50, 55]);
        assert_eq!(bits(Field::Hour, "10-14/2,007"), [7, 10, 12, 14]);
        assert_eq!(bits(Field::Month, "JAN-mar"), [1, 2, 3]);
        assert_eq!(bits(Field::DayOfWeek, "fri-mon"), [0, 1, 5, 6]);
        assert_eq!(bits(Field::DayOfWeek, "5-7"), [0, 5, 6]);
        assert_eq!(bits(Field::DayOfWeek, "7-2"), [0, 1, 2]);
        assert_eq!(bits(Field::DayOfWeek, "1/2"), [1, 3, 5]);
        assert_eq!(bits(Field::DayOfWeek, "mon-fri/2"), [1, 3, 5]);
        assert_eq!(bits(Field::Day, "?").len(), 31);
    }

    #[test]
    fn errors_say_where_and_what_was_meant() {
        for (field, text, span, meant) in [
            (Field::DayOfWeek, "mno", 0..3, Some("mon")),
            (Field::DayOfWeek, "sat,monday", 4..10, Some("mon")),
            (Field::Month, "sept", 0..4, Some("sep")),
            (Field::Hour, "22-3", 0..4, Some("22-23,0-3")),
            (Field::Hour, "1,24", 2..4, Some("0")),
            (Field::Minute, "*/5m", 2..4, Some("*/5")),
            (Field::Minute, "*/0", 2..3, None),
            (Field::Hour, "*/24", 2..4, Some("0")),
            (Field::Day, "0", 0..1, None),
            (Field::DayOfWeek, "fri#6", 4..5, None),
            (Field::Hour, "5-", 0..2, Some("0-23")),
            (Field::Hour, "1,,2", 2..2, None),
            (Field::Minute, "*/90", 2..4, Some("every 1h 30m")),
        ] {
            let error = error(field, Dialect::Crontab, text);
            assert_eq!(error.span(), Some(span), "{text}: {error}");
            assert_eq!(error.suggestion(), meant, "{text}: {error}");
            assert_eq!(error.field(), Some(field.name()), "{text}: {error}");
        }
    }

    #[test]
    fn all_bad_items_are_reported() {
        let error = error(Field::Hour, Dialect::Crontab, "24,5,25,x");
        assert_eq!(error.all().count(), 3);
    }

    #[test]
    fn weekday_numbers_need_the_crontab_form() {
        let error = error(Field::DayOfWeek, Dialect::Keyword, "mon,2");
        assert_eq!(error.span(), Some(4..5));
        assert!(error.to_string().contains("Monday"), "{error}");
        assert!(Values::parse(Field::DayOfWeek, Dialect::Keyword, "*/2").is_err());
    }

    #[test]
    fn keyword_days() {
        let values = Values::parse(Field::Day, Dialect::Keyword, "2nd TUE,last").unwrap();
        assert!(values.special.last);
        assert_eq!(values.text, "2nd tue,last");
        let error = error(Field::Day, Dialect::Keyword, "2th tue");
        assert_eq!(error.suggestion(), Some("2nd"));
    }
}
