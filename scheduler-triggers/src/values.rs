//! A cron field: a list of items.

use crate::days::{ALL_YEARS, Special};
use crate::error::TriggerError;
use crate::field::Field;
use crate::item::{Dialect, Item, Values};
use crate::item_error;

impl Values {
    /// No value at all, in place of what could not be read.
    pub(crate) const NOTHING: Self = Self {
        bits: [0; 3],
        star: false,
        frequency: false,
        special: Special {
            weeks: 0,
            years: [0; 3],
            ..Special::NONE
        },
    };

    /// What `*` means.
    pub(crate) fn all(field: Field) -> Self {
        let bits = match field {
            Field::Year => ALL_YEARS,
            _ => [
                u64::MAX >> (63 - field.max()) & (u64::MAX << field.min()),
                0,
                0,
            ],
        };
        Self {
            bits,
            star: true,
            frequency: true,
            ..Self::NOTHING
        }
    }

    /// What the smallest value means, written out.
    pub(crate) fn least(field: Field) -> Self {
        let bit = if field == Field::Year { 0 } else { field.min() };
        Self {
            bits: [1 << bit, 0, 0],
            ..Self::NOTHING
        }
    }

    /// Reads the text of one field and adds it, in one canonical spelling, to `spelling`. Spans
    /// of errors count from the start of `text`.
    pub(crate) fn parse(
        field: Field,
        dialect: Dialect,
        text: &str,
        spelling: &mut String,
    ) -> Result<Self, TriggerError> {
        let mut values = Self {
            star: text.trim_start().starts_with(['*', '?']),
            ..Self::NOTHING
        };
        let mut errors = Vec::new();
        let mut at = 0;
        for (index, part) in text.split(',').enumerate() {
            if index > 0 {
                spelling.push(',');
            }
            let blanks = part.len() - part.trim_start().len();
            let item = Item {
                field,
                dialect,
                text: part.trim(),
                at: at + blanks,
            };
            at += part.len() + 1;
            if let Err(error) = item.read(&mut values, spelling) {
                errors.push(error);
            }
        }
        match TriggerError::several(errors) {
            Some(error) => Err(item_error::foreign(field, dialect, text).unwrap_or(error)),
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(field: Field, text: &str) -> Vec<u32> {
        let values = Values::parse(field, Dialect::Crontab, text, &mut String::new()).unwrap();
        (0..64)
            .filter(|bit| values.bits[0] >> bit & 1 == 1)
            .collect()
    }

    fn error(field: Field, dialect: Dialect, text: &str) -> TriggerError {
        Values::parse(field, dialect, text, &mut String::new()).unwrap_err()
    }

    #[test]
    fn left_out_means_what_is_written() {
        for field in Field::ALL {
            let read = |text: &str| {
                Values::parse(field, Dialect::Crontab, text, &mut String::new()).unwrap()
            };
            assert_eq!(Values::all(field), read("*"), "{field:?}");
            assert_eq!(
                Values::least(field),
                read(&field.min().to_string()),
                "{field:?}"
            );
        }
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
        let wrong = error(Field::DayOfWeek, Dialect::Keyword, "mon,2");
        assert_eq!(wrong.span(), Some(4..5));
        assert!(wrong.to_string().contains("Monday"), "{wrong}");
        error(Field::DayOfWeek, Dialect::Keyword, "*/2");
    }

    #[test]
    fn keyword_days() {
        let mut spelling = String::new();
        let values = Values::parse(
            Field::Day,
            Dialect::Keyword,
            "2nd  TUE, last",
            &mut spelling,
        );
        assert!(values.unwrap().special.last);
        assert_eq!(spelling, "2nd tue,last");
        let error = error(Field::Day, Dialect::Keyword, "2th tue");
        assert_eq!(error.suggestion(), Some("2nd"));
    }
}
