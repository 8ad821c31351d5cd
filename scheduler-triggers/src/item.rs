//! One item of a cron field's list: `*/5`, `10-40/10`, `mon-fri`, `L`, `15W`, `fri#2`, `2nd tue`.

use std::borrow::Cow;
use std::ops::Range;

use crate::days::{LAST, Special, nth_bit};
use crate::error::TriggerError;
use crate::field::{Field, WEEKDAYS};
use crate::item_error as wrong;

/// Which of the two cron languages is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// crontab(5): one string, weekdays are numbers or names.
    Crontab,
    /// One text per field; weekdays are names only.
    Keyword,
}

/// What the items of a field add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    /// One bit per value; years count from the first.
    pub(crate) bits: [u64; 3],
    /// The field's first item begins with `*` or is `?`.
    pub(crate) star: bool,
    /// Some item is a `*`, a range or a step.
    pub(crate) frequency: bool,
    pub(crate) special: Special,
}

/// An item with what its errors need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) field: Field,
    pub(crate) dialect: Dialect,
    pub(crate) text: &'a str,
    /// Where it begins in the text of the field.
    pub(crate) at: usize,
}

impl Item<'_> {
    pub(crate) fn error(&self, message: impl Into<String>) -> TriggerError {
        TriggerError::new(message)
            .in_field(self.field.name())
            .at(self.at..self.at + self.text.len())
    }

    pub(crate) fn numbers(&self) -> bool {
        self.dialect == Dialect::Crontab || self.field != Field::DayOfWeek
    }

    pub(crate) fn allowed(&self) -> String {
        self.field.allowed(self.numbers())
    }

    /// Reads the item, adds what it names to `values` and its canonical spelling to `text`.
    pub(crate) fn read(&self, values: &mut Values, text: &mut String) -> Result<(), TriggerError> {
        let lower = if self.text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(self.text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(self.text)
        };
        if let Some(special) = self.special(&lower, &mut values.special)? {
            text.push_str(&special);
            return Ok(());
        }
        let (range, step) = match lower.split_once('/') {
            Some((range, step)) => (range, Some((step, range.len() + 1))),
            None => (&*lower, None),
        };
        let (low, high) = self.range(range)?;
        let single = range != "*" && range != "?" && low.1 && !range.contains('-');
        // `5/15` means from 5 to the end.
        let high = if single && step.is_some() {
            self.field.max().max(low.0)
        } else {
            high
        };
        let step = match step {
            None => 1,
            Some((text, at)) => self.step(text, at, low.0, high)?,
        };
        values.frequency |= !single || self.text.contains('/');
        self.mark(&mut values.bits, low.0, high, step);
        text.push_str(&lower);
        Ok(())
    }

    fn mark(&self, bits: &mut [u64; 3], low: u32, high: u32, step: u32) {
        if step == 1 && !matches!(self.field, Field::Year | Field::DayOfWeek) {
            bits[0] |= u64::MAX >> (63 - (high - low)) << low;
            return;
        }
        let mut value = low;
        while value <= high {
            let bit = match self.field {
                Field::Year => value - self.field.min(),
                Field::DayOfWeek => value % 7,
                _ => value,
            };
            if let Some(word) = bits.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
            value += step;
        }
    }

    /// The lowest and the highest value, and whether the lowest was written out.
    fn range(&self, text: &str) -> Result<((u32, bool), u32), TriggerError> {
        if text == "*" || text == "?" {
            return Ok(((self.field.min(), false), self.field.max()));
        }
        if text.is_empty() {
            return Err(wrong::empty(self));
        }
        let Some((first, last)) = text.split_once('-') else {
            let value = self.value(text, 0)?;
            return Ok(((value, true), value));
        };
        let low = self.value(first, 0)?;
        let high = self.value(last, first.len() + 1)?;
        if low <= high {
            return Ok(((low, true), high));
        }
        if self.field == Field::DayOfWeek {
            // Wraps over the end of the week; 7 and 0 are the same day.
            return Ok(((low % 7, true), if low == 7 { high } else { high + 7 }));
        }
        Err(wrong::reversed(self, text.len(), low, high))
    }

    fn step(&self, text: &str, at: usize, low: u32, high: u32) -> Result<u32, TriggerError> {
        let span = self.at + at..self.at + at + text.len();
        match text.parse::<u32>() {
            Ok(_)
                if self.field == Field::DayOfWeek
                    && self.text.starts_with('*')
                    && !self.numbers() =>
            {
                Err(wrong::weekday_step(self))
            }
            Ok(0) => Err(wrong::zero_step(self, span)),
            Ok(1) => Ok(1),
            Ok(step) if step > high - low => Err(wrong::large_step(self, span, step, low, high)),
            Ok(step) => Ok(step),
            Err(_) => Err(wrong::bad_step(self, text, span)),
        }
    }

    fn value(&self, text: &str, at: usize) -> Result<u32, TriggerError> {
        let span: Range<usize> = self.at + at..self.at + at + text.len();
        if text.is_empty() {
            return Err(wrong::open_range(self));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            if !self.numbers() {
                return Err(wrong::weekday_number(self, text, span));
            }
            let most = if self.field == Field::DayOfWeek {
                7
            } else {
                self.field.max()
            };
            return text
                .parse()
                .ok()
                .filter(|value| (self.field.min()..=most).contains(value))
                .ok_or_else(|| wrong::out_of_range(self, text, span));
        }
        self.field
            .value_of(text)
            .ok_or_else(|| wrong::unknown(self, text, span))
    }

    /// The forms that are no set of values but depend on the month; gives their canonical text.
    fn special(&self, lower: &str, special: &mut Special) -> Result<Option<String>, TriggerError> {
        match self.field {
            Field::Day => self.special_day(lower, special),
            Field::DayOfWeek => self.special_weekday(lower, special),
            _ => Ok(None),
        }
    }

    fn special_day(
        &self,
        lower: &str,
        special: &mut Special,
    ) -> Result<Option<String>, TriggerError> {
        if lower == "l" || (lower == "last" && self.dialect == Dialect::Keyword) {
            special.last = true;
            return Ok(Some(if lower == "l" { "L" } else { "last" }.to_owned()));
        }
        if lower == "lw" || lower == "wl" {
            special.last_workday = true;
            return Ok(Some("LW".to_owned()));
        }
        if let Some(day) = lower.strip_suffix('w')
            && !day.is_empty()
            && day.bytes().all(|byte| byte.is_ascii_digit())
        {
            let value = self.value(day, 0)?;
            special.nearest |= 1 << value;
            return Ok(Some(format!("{value}W")));
        }
        let mut words = lower.split_ascii_whitespace();
        if let (Some(nth), Some(weekday), None) = (words.next(), words.next(), words.next()) {
            if self.dialect == Dialect::Crontab {
                return Ok(None);
            }
            let count = match nth {
                "1st" => 1,
                "2nd" => 2,
                "3rd" => 3,
                "4th" => 4,
                "5th" => 5,
                "last" => LAST,
                _ => return Err(wrong::unknown_nth(self, nth)),
            };
            let at = self.at + lower.len() - weekday.len();
            let index = Field::DayOfWeek
                .value_of(weekday)
                .ok_or_else(|| wrong::unknown_weekday(self, weekday, at..at + weekday.len()))?;
            special.day_nth |= nth_bit(count, index);
            return Ok(Some(format!("{nth} {weekday}")));
        }
        if lower.starts_with("l-") {
            return Err(wrong::days_before_last(self));
        }
        Ok(None)
    }

    fn special_weekday(
        &self,
        lower: &str,
        special: &mut Special,
    ) -> Result<Option<String>, TriggerError> {
        if lower == "l" {
            return Err(wrong::lone_last(self));
        }
        if let Some((weekday, nth)) = lower.split_once('#') {
            let value = self.value(weekday, 0)? % 7;
            let at = self.at + weekday.len() + 1;
            let count = nth
                .parse()
                .ok()
                .filter(|count| (1..=5).contains(count))
                .ok_or_else(|| wrong::bad_nth(self, nth, at..at + nth.len()))?;
            special.weekday_nth |= nth_bit(count, value);
            return Ok(Some(format!("{weekday}#{count}")));
        }
        if let Some(weekday) = lower.strip_suffix('l')
            && (WEEKDAYS.contains(&weekday)
                || (!weekday.is_empty() && weekday.bytes().all(|byte| byte.is_ascii_digit())))
        {
            let value = self.value(weekday, 0)? % 7;
            special.weekday_nth |= nth_bit(LAST, value);
            return Ok(Some(format!("{weekday}L")));
        }
        Ok(None)
    }
}
