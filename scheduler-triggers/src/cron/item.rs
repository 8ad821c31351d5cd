//! One item of a cron field's list: `*/5`, `10-40/10`, `mon-fri`, `L`, `L-3`, `15W`, `fri#2`, `2nd tue`.

use std::ops::Range;

use crate::cron::days::{LAST, Special, nth_bit};
use crate::cron::field::Field;
use crate::cron::item_error as wrong;
use crate::error::TriggerError;
use crate::text::words::cut;

/// The cron language that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// crontab(5): one string, weekdays are numbers or names.
    Crontab,
    /// One text per field; weekdays are names only.
    Keyword,
}

/// The values of all items of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    /// One bit per value; years are counted from the first.
    pub(crate) bits: [u64; 3],
    /// `true` if the field's first item begins with `*` or is `?`.
    pub(crate) star: bool,
    /// `true` if an item is a `*`, a range or a step.
    pub(crate) frequency: bool,
}

/// An item, with the context for its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) field: Field,
    pub(crate) dialect: Dialect,
    pub(crate) text: &'a str,
    /// Its position in the text of the field.
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

    /// Reads the item, and adds its values to `values` or `special` and its canonical spelling to `spelling`.
    pub(crate) fn read(
        &self,
        values: &mut Values,
        special: &mut Special,
        spelling: &mut String,
    ) -> Result<(), TriggerError> {
        let is_special = match self.field {
            Field::Day => self.special_day(special, spelling)?,
            Field::DayOfWeek => self.special_weekday(special, spelling)?,
            _ => false,
        };
        if is_special {
            return Ok(());
        }
        let (range, step) = match cut(self.text, b'/') {
            Some((range, step)) => (range, Some(step)),
            None => (self.text, None),
        };
        let (low, mut high, single) = self.range(range)?;
        let step = match step {
            None => 1,
            Some(step) => {
                if single {
                    // `5/15` means from 5 to the end.
                    high = self.field.max().max(low);
                }
                values.frequency = true;
                self.step(step, range.len() + 1, low, high)?
            }
        };
        values.frequency |= !single;
        self.mark(&mut values.bits, low, high, step);
        push_lower(spelling, self.text);
        Ok(())
    }

    fn mark(&self, bits: &mut [u64; 3], low: u32, high: u32, step: u32) {
        if self.is_beyond(high) {
            return self.mark_over_the_end(bits, low, high, step);
        }
        if step == 1 && self.field != Field::Year {
            bits[0] |= u64::MAX >> (63 - (high - low)) << low;
        } else {
            let first = match self.field {
                Field::Year => self.field.min(),
                _ => 0,
            };
            let mut value = low;
            while value <= high {
                let bit = value - first;
                if let Some(word) = bits.get_mut((bit / 64) as usize) {
                    *word |= 1 << (bit % 64);
                }
                value += step;
            }
        }
        if self.field == Field::DayOfWeek {
            // 7 is Sunday again, and ranges continue from there.
            bits[0] = (bits[0] | bits[0] >> 7) & 0x7f;
        }
    }

    /// Returns `true` if the field may be left open with a `?`, since the other day field is enough.
    fn is_day(&self) -> bool {
        matches!(self.field, Field::Day | Field::DayOfWeek)
    }

    /// Returns `true` if a range wraps around: beyond the field's last value, it continues from the first. Weekdays
    /// have extra bits for that.
    fn is_beyond(&self, high: u32) -> bool {
        self.field != Field::DayOfWeek && high > self.field.max()
    }

    /// Marks a range that wraps around: its steps are counted across the end of the field.
    #[cold]
    fn mark_over_the_end(&self, bits: &mut [u64; 3], low: u32, high: u32, step: u32) {
        let (min, size) = (self.field.min(), self.field.size());
        for value in (low..=high).step_by(step as usize) {
            bits[0] |= 1 << (min + (value - min) % size);
        }
    }

    /// Returns the lowest and the highest value, and `true` if they are a single value that was written out.
    fn range(&self, text: &str) -> Result<(u32, u32, bool), TriggerError> {
        if text == "*" || (text == "?" && self.is_day()) {
            return Ok((self.field.min(), self.field.max(), false));
        }
        if text.is_empty() {
            return Err(wrong::empty(self));
        }
        let Some((first, last)) = cut(text, b'-') else {
            let value = self.value(text, 0)?;
            return Ok((value, value, true));
        };
        let low = self
            .value(first, 0)
            .map_err(|_| self.bad_range(first, last))?;
        let high = self.value(last, first.len() + 1);
        let high = high.map_err(|_| self.bad_range(first, last))?;
        if low <= high {
            return Ok((low, high, false));
        }
        if self.field == Field::DayOfWeek {
            // Wraps around the end of the week; 7 and 0 are the same day.
            return Ok((low % 7, if low == 7 { high } else { high + 7 }, false));
        }
        if self.field == Field::Year {
            return Err(wrong::reversed(self, text.len(), low, high));
        }
        Ok((low, high + self.field.size(), false))
    }

    /// Returns the errors of both ends.
    #[cold]
    fn bad_range(&self, first: &str, last: &str) -> TriggerError {
        if first.is_empty() || last.is_empty() {
            return wrong::open_range(self);
        }
        let ends = [self.value(first, 0), self.value(last, first.len() + 1)];
        let errors = ends.into_iter().filter_map(Result::err);
        errors
            .reduce(|earlier, error| error.after(Some(earlier)))
            .unwrap_or_else(|| wrong::open_range(self))
    }

    fn step(&self, text: &str, at: usize, low: u32, high: u32) -> Result<u32, TriggerError> {
        let span = self.at + at..self.at + at + text.len();
        match text.parse::<u32>() {
            // `parse` would accept the sign.
            Ok(_) if text.starts_with('+') => Err(wrong::signed_step(self, text, span)),
            Ok(_)
                if self.field == Field::DayOfWeek
                    && self.text.starts_with('*')
                    && !self.numbers() =>
            {
                Err(wrong::weekday_step(self))
            }
            Ok(0) => Err(wrong::zero_step(self, span)),
            Ok(1) => Ok(1),
            // More than a minute, an hour or a day is never what was meant, unless in a range.
            Ok(step)
                if step > self.field.size()
                    && self.field.is_of_day()
                    && cut(self.text, b'-').is_none() =>
            {
                Err(wrong::large_step(self, span, step, low))
            }
            Ok(step) if step > high - low && self.field == Field::Year => {
                Err(wrong::large_year_step(self, span, step, low, high))
            }
            // As in crontab, it names only the first value.
            Ok(step) => Ok(step.min(high - low + 1)),
            Err(_) => Err(wrong::bad_step(self, text, span)),
        }
    }

    fn value(&self, text: &str, at: usize) -> Result<u32, TriggerError> {
        let span: Range<usize> = self.at + at..self.at + at + text.len();
        if text.is_empty() {
            return Err(wrong::empty(self));
        }
        let Some(value) = number(text) else {
            return self
                .field
                .value_of(text)
                .ok_or_else(|| wrong::unknown(self, text, span));
        };
        if !self.numbers() {
            return Err(wrong::weekday_number(self, text, span));
        }
        let most = if self.field == Field::DayOfWeek {
            7
        } else {
            self.field.max()
        };
        if (self.field.min()..=most).contains(&value) {
            Ok(value)
        } else {
            Err(wrong::out_of_range(self, text, span))
        }
    }

    /// Reads a form that depends on the month; returns `false` if the item is not such a form.
    fn special_day(
        &self,
        special: &mut Special,
        spelling: &mut String,
    ) -> Result<bool, TriggerError> {
        let text = self.text;
        if text.bytes().all(|byte| matches!(byte, b'!'..=b'?')) {
            return Ok(false); // each of them holds a letter or a blank
        }
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let keyword = self.dialect == Dialect::Keyword;
        if is("l") || (keyword && is("last")) {
            special.last = true;
            spelling.push_str(if text.len() == 1 { "L" } else { "last" });
            return Ok(true);
        }
        if is("lw") || is("wl") {
            special.last_workday = true;
            spelling.push_str("LW");
            return Ok(true);
        }
        if text.starts_with("l-") || text.starts_with("L-") {
            return self.before_last(special, spelling);
        }
        if let Some(day) = text.strip_suffix(['w', 'W'])
            && number(day).is_some()
        {
            special.nearest |= 1 << self.value(day, 0)?;
            spelling.push_str(day.trim_start_matches('0'));
            spelling.push('W');
            return Ok(true);
        }
        let mut words = text.split_ascii_whitespace();
        if let (Some(nth), Some(weekday), None) = (words.next(), words.next(), words.next()) {
            if !keyword {
                return Ok(false);
            }
            let count = (1..)
                .zip(NTH)
                .find_map(|(count, known)| nth.eq_ignore_ascii_case(known).then_some(count))
                .ok_or_else(|| wrong::unknown_nth(self, nth))?;
            let at = self.at + text.len() - weekday.len();
            let index = Field::DayOfWeek
                .value_of(weekday)
                .ok_or_else(|| wrong::unknown_weekday(self, weekday, at..at + weekday.len()))?;
            special.day_nth |= nth_bit(count, index);
            push_lower(spelling, nth);
            spelling.push(' ');
            push_lower(spelling, weekday);
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads `L-3`, or `L-3W`.
    fn before_last(
        &self,
        special: &mut Special,
        spelling: &mut String,
    ) -> Result<bool, TriggerError> {
        let count = &self.text["L-".len()..];
        let (count, days) = match count.strip_suffix(['w', 'W']) {
            Some(count) => (count, &mut special.nearest_before_last),
            None => (count, &mut special.before_last),
        };
        let count = number(count)
            .filter(|count| (1..=30).contains(count))
            .ok_or_else(|| wrong::bad_days_before_last(self, count))?;
        *days |= 1 << count;
        spelling.push_str("L-");
        spelling.push_str(&count.to_string());
        if self.text.ends_with(['w', 'W']) {
            spelling.push('W');
        }
        Ok(true)
    }

    /// As [`special_day`](Self::special_day), for weekdays.
    fn special_weekday(
        &self,
        special: &mut Special,
        spelling: &mut String,
    ) -> Result<bool, TriggerError> {
        if let Some((weekday, nth)) = cut(self.text, b'#') {
            let value = self.value(weekday, 0)? % 7;
            let at = self.at + weekday.len() + 1;
            let count = number(nth)
                .filter(|count| (1..=5).contains(count))
                .ok_or_else(|| wrong::bad_nth(self, nth, at..at + nth.len()))?;
            special.weekday_nth |= nth_bit(count, value);
            push_lower(spelling, weekday);
            spelling.push('#');
            spelling.extend(char::from_digit(count, 10));
            return Ok(true);
        }
        let Some(weekday) = self.text.strip_suffix(['l', 'L']) else {
            return Ok(false);
        };
        if weekday.is_empty() {
            return Err(wrong::lone_last(self));
        }
        if number(weekday).is_none() && Field::DayOfWeek.value_of(weekday).is_none() {
            return Ok(false);
        }
        special.weekday_nth |= nth_bit(LAST, self.value(weekday, 0)? % 7);
        push_lower(spelling, weekday);
        spelling.push('L');
        Ok(true)
    }
}

/// The counts before a weekday; the last is [`LAST`].
pub(crate) const NTH: [&str; 6] = ["1st", "2nd", "3rd", "4th", "5th", "last"];

/// Returns the number that consists of these digits; if it is too large, the largest number.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then_some(byte & 0xf)?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// Appends a text in lower case; it has been read, so it is ASCII.
fn push_lower(spelling: &mut String, text: &str) {
    spelling.extend(
        text.bytes()
            .map(|byte| char::from(byte.to_ascii_lowercase())),
    );
}
