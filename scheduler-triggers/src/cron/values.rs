//! A cron field: a list of items.

use crate::cron::days::{ALL_YEARS, Special};
use crate::cron::field::Field;
use crate::cron::item::{Dialect, Item, Values};
use crate::cron::item_error;
use crate::error::TriggerError;
use crate::text::words::{cut, trim};

impl Values {
    /// No value, in place of an unreadable field.
    pub(crate) const NOTHING: Self = Self {
        bits: [0; 3],
        star: false,
        frequency: false,
    };

    /// Returns the meaning of `*`.
    pub(crate) const fn all(field: Field) -> Self {
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
        }
    }

    /// Returns the meaning of the smallest value, written out.
    pub(crate) const fn least(field: Field) -> Self {
        let bit = match field {
            Field::Year => 0,
            _ => field.min(),
        };
        Self {
            bits: [1 << bit, 0, 0],
            ..Self::NOTHING
        }
    }

    /// Reads the text of one field; adds its special forms to `special` and its canonical spelling to `spelling`. Spans
    /// of errors count from the start of `text`.
    pub(crate) fn parse(
        field: Field,
        dialect: Dialect,
        text: &str,
        special: &mut Special,
        spelling: &mut String,
    ) -> Result<Self, TriggerError> {
        let mut values = Self::NOTHING;
        let mut errors = None;
        let (mut at, mut list) = (0, Some(text));
        while let Some(rest) = list {
            let (part, more) = match cut(rest, b',') {
                Some((part, more)) => (part, Some(more)),
                None => (rest, None),
            };
            let (blanks, item) = trim(part);
            if at == 0 {
                values.star = matches!(item.as_bytes(), [b'*' | b'?', ..]);
            } else {
                spelling.push(',');
            }
            let item = Item {
                field,
                dialect,
                text: item,
                at: at + blanks,
            };
            if let Err(error) = item.read(&mut values, special, spelling) {
                errors = Some(error.after(errors.take()));
            }
            at += part.len() + 1;
            list = more;
        }
        match errors {
            None => Ok(values),
            Some(error) => Err(item_error::foreign(field, dialect, text).unwrap_or(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(field: Field, dialect: Dialect, text: &str) -> Result<Values, TriggerError> {
        let mut special = Special::NONE;
        Values::parse(field, dialect, text, &mut special, &mut String::new())
    }

    fn bits(field: Field, text: &str) -> Vec<u32> {
        let values = parse(field, Dialect::Crontab, text).unwrap();
        (0..64)
            .filter(|bit| values.bits[0] >> bit & 1 == 1)
            .collect()
    }

    fn error(field: Field, dialect: Dialect, text: &str) -> TriggerError {
        parse(field, dialect, text).unwrap_err()
    }

    #[test]
    fn left_out_means_what_is_written() {
        for field in Field::ALL {
            let read = |text: &str| parse(field, Dialect::Crontab, text).unwrap();
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
    fn ranges_go_over_the_end_of_what_repeats() {
        assert_eq!(bits(Field::Hour, "22-2"), [0, 1, 2, 22, 23]);
        assert_eq!(bits(Field::Month, "nov-feb"), [1, 2, 11, 12]);
        assert_eq!(bits(Field::Minute, "50-10/5"), [0, 5, 10, 50, 55]);
        // Steps are counted across the end, and do not start over there.
        assert_eq!(bits(Field::Hour, "22-5/3"), [1, 4, 22]);
        assert_eq!(bits(Field::Minute, "58-7/4"), [2, 6, 58]);
        assert_eq!(bits(Field::Day, "30-3/2"), [1, 3, 30]);
        assert_eq!(bits(Field::Week, "52-2"), [1, 2, 52, 53]);
        assert_eq!(bits(Field::Second, "59-0"), [0, 59]);
        assert_eq!(bits(Field::Hour, "1-0").len(), 24);
    }

    #[test]
    fn a_step_beyond_its_range_names_the_first_value() {
        assert_eq!(bits(Field::DayOfWeek, "*/7"), [0]);
        assert_eq!(bits(Field::DayOfWeek, "mon/7"), [1]);
        assert_eq!(bits(Field::DayOfWeek, "7/2"), [0]);
        assert_eq!(bits(Field::Hour, "*/24"), [0]);
        assert_eq!(bits(Field::Minute, "*/60"), [0]);
        assert_eq!(bits(Field::Minute, "10-20/90"), [10]);
        assert_eq!(bits(Field::Day, "*/100,1-7"), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(bits(Field::Day, "*/4294967295"), [1]);
        assert_eq!(bits(Field::Hour, "22-2/9"), [22]);
        assert_eq!(bits(Field::Hour, "5-5/3"), [5]);
    }

    #[test]
    fn errors_say_where_and_what_was_meant() {
        for (field, text, span, meant) in [
            (Field::DayOfWeek, "mno", 0..3, Some("mon")),
            (Field::DayOfWeek, "sat,monday", 4..10, Some("mon")),
            (Field::Month, "sept", 0..4, Some("sep")),
            (Field::Hour, "1,24", 2..4, Some("0")),
            (Field::Minute, "*/5m", 2..4, Some("5")),
            (Field::Minute, "*/+10", 2..5, Some("10")),
            (Field::Minute, "*/0", 2..3, None),
            (Field::Day, "0", 0..1, None),
            (Field::DayOfWeek, "fri#6", 4..5, None),
            (Field::DayOfWeek, "fri#+2", 4..6, None),
            (Field::Hour, "5-", 0..2, Some("5-23")),
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
        let (mut special, mut spelling) = (Special::NONE, String::new());
        let text = "2nd  TUE, last";
        let values = Values::parse(
            Field::Day,
            Dialect::Keyword,
            text,
            &mut special,
            &mut spelling,
        );
        assert!(values.is_ok() && special.last);
        assert_eq!(spelling, "2nd tue,last");
        let error = error(Field::Day, Dialect::Keyword, "2th tue");
        assert_eq!(error.suggestion(), Some("2nd"));
    }
}
