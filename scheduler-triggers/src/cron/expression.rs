//! The string form of cron: crontab(5) with optional seconds in front and an optional year at the end.

use crate::civil::{FIRST_YEAR, LAST_YEAR};
use crate::cron::Cron;
use crate::cron::build::{Fields, never};
use crate::cron::days::Special;
use crate::cron::dialect::from_eventbridge;
use crate::cron::field::Field;
use crate::cron::item::{Dialect, Values};
use crate::error::TriggerError;
use crate::suggest;
use crate::text::words::{Word, trim, words};

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Names that are not valid here, with their meaning.
const ELSEWHERE: [(&str, &str); 12] = [
    ("@minutely", "* * * * *"),
    ("@minute", "* * * * *"),
    ("@hour", "@hourly"),
    ("@day", "@daily"),
    ("@noon", "0 12 * * *"),
    ("@weekday", "0 0 * * mon-fri"),
    ("@weekdays", "0 0 * * mon-fri"),
    ("@week", "@weekly"),
    ("@month", "@monthly"),
    ("@quarterly", "0 0 1 */3 *"),
    ("@year", "@yearly"),
    ("@annual", "@yearly"),
];

/// The order of the fields in a string; five fields leave out both ends.
const ORDER: [Field; 7] = [
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::Day,
    Field::Month,
    Field::DayOfWeek,
    Field::Year,
];

/// The values of fields that a string leaves out: the second 0, and any value of the others.
const LEFT_OUT: [Values; 8] = {
    let mut values = [Values::NOTHING; 8];
    let mut at = 0;
    while at < values.len() {
        values[at] = Values::all(Field::ALL[at]);
        at += 1;
    }
    values[Field::Second as usize] = Values::least(Field::Second);
    values
};

impl Cron {
    /// Reads an expression; reports every bad field.
    pub(crate) fn parse(expr: &str) -> Result<Self, TriggerError> {
        Self::read(expr).map_err(|error| error.in_text(expr))
    }

    fn read(expr: &str) -> Result<Self, TriggerError> {
        let whole = 0..expr.len();
        let (_, trimmed) = trim(expr);
        if trimmed.starts_with('@') {
            return match nickname(trimmed) {
                Ok(expr) => Self::read(expr),
                Err(error) => Err(error.at(whole)),
            };
        }
        let (words, count) = words(expr);
        let order = match count {
            5 => &ORDER[1..6],
            6 => &ORDER[..6],
            7 => &ORDER[..],
            _ => return Err(wrong_count(count, trimmed).at(whole)),
        };
        let mut fields = Fields {
            values: LEFT_OUT,
            special: Special::NONE,
            keyword: false,
            text: String::with_capacity(expr.len()),
        };
        let mut errors = None;
        for (field, word) in order.iter().zip(&words) {
            if !fields.text.is_empty() {
                fields.text.push(' ');
            }
            let (special, text) = (&mut fields.special, &mut fields.text);
            match Values::parse(*field, Dialect::Crontab, word.text, special, text) {
                Ok(values) => fields.values[*field as usize] = values,
                Err(error) => errors = Some(error.shift(word.at).after(errors)),
            }
        }
        if let Some(errors) = errors {
            return Err(refused(errors, order, &words[..count], expr));
        }
        let cron = Self::from(fields);
        if cron.can_fire() {
            return Ok(cron);
        }
        let mut written = ["*"; 8];
        for (field, word) in order.iter().zip(&words) {
            written[*field as usize] = word.text;
        }
        let error = never(&cron, written);
        let at = order
            .iter()
            .position(|field| Some(field.name()) == error.field())
            .map_or(whole, |index| words[index].range());
        Err(error.at(at))
    }
}

fn nickname(text: &str) -> Result<&'static str, TriggerError> {
    let lower = text.to_ascii_lowercase();
    if let Some((_, expr)) = NICKNAMES.iter().find(|(name, _)| *name == lower) {
        return Ok(expr);
    }
    if matches!(&*lower, "@reboot" | "@startup") {
        return Err(TriggerError::new(format!(
            "`{text}` is not a time; use the job option `run_on_start`"
        )));
    }
    if let Some((_, expr)) = ELSEWHERE.iter().find(|(name, _)| *name == lower) {
        return Err(
            TriggerError::new(format!("`{text}` is not a cron nickname")).write_whole(*expr),
        );
    }
    if let Some(rest) = lower.strip_prefix("@every ") {
        return Err(
            TriggerError::new("`@every` is an interval, not a cron expression")
                .write_whole(format!("every {}", rest.trim())),
        );
    }
    let names = NICKNAMES.iter().map(|(name, _)| *name);
    Err(
        TriggerError::new(format!("`{text}` is not a cron nickname"))
            .allow(names.clone().collect::<Vec<_>>().join(", "))
            .meant(suggest::within(1, &lower, names)),
    )
}

/// Returns the errors of the fields, with the advice that the whole expression allows.
#[cold]
fn refused(errors: TriggerError, order: &[Field], words: &[Word<'_>], expr: &str) -> TriggerError {
    if let Some(error) = eventbridge(words, expr) {
        return error;
    }
    if let Some(error) = year_without_seconds(words, expr) {
        return error;
    }
    if let Some(error) = blanks_too_many(expr) {
        return error;
    }
    // Advice that replaces the whole expression would lose the other fields. A 0 below the wrong field carries no
    // information: it is the value of a field that is left out.
    let wrong = order
        .iter()
        .find(|field| Some(field.name()) == errors.field());
    let says_something = |(field, word): (&Field, &Word<'_>)| {
        let is_below = field.is_of_day() && wrong.is_some_and(|wrong| field > wrong);
        Some(field) != wrong && !matches!(word.text, "*" | "?") && !(word.text == "0" && is_below)
    };
    if order.iter().zip(words).any(says_something) {
        return errors.without_whole();
    }
    errors
}

/// Returns the error for six fields with a `?` for a day of `EventBridge`, where this dialect has the hour or the
/// month.
fn eventbridge(words: &[Word<'_>], expr: &str) -> Option<TriggerError> {
    let texts: Vec<_> = words.iter().map(|word| word.text).collect();
    let written = from_eventbridge(&texts).filter(|written| Cron::parse(written).is_ok())?;
    Some(
        TriggerError::new(
            "this looks like Amazon EventBridge, whose sixth field is the year; here the first of six \
             is the second, and `?` stands in the day fields only",
        )
        .at(0..expr.len())
        .write_whole(written),
    )
}

/// Returns the error for six fields, the last of which is a year: others have it as the sixth, here it is the seventh.
fn year_without_seconds(words: &[Word<'_>], expr: &str) -> Option<TriggerError> {
    let [_, _, _, _, _, last] = words else {
        return None;
    };
    let years = i32::try_from(last.text.get(..4)?.parse::<u32>().ok()?).ok()?;
    (FIRST_YEAR..=LAST_YEAR).contains(&years).then(|| {
        TriggerError::new(format!(
            "`{}` is a year, which is the seventh field; of six fields the first is the second",
            last.text
        ))
        .in_field(Field::Year.name())
        .at(last.at..last.at + last.text.len())
        .write_whole(format!("0 {}", expr.trim()))
    })
}

/// Returns the error for a blank within a field, as in `0, 30 * * * *`.
fn blanks_too_many(expr: &str) -> Option<TriggerError> {
    let mut joined = String::with_capacity(expr.len());
    for word in expr.split_ascii_whitespace() {
        let goes_on = joined.ends_with([',', '-', '/']) || word.starts_with([',', '-', '/']);
        if !joined.is_empty() && !goes_on {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    let blanks = |text: &str| text.split_ascii_whitespace().count();
    // Without the first condition, a text without such a blank would recurse forever.
    (blanks(&joined) < blanks(expr) && Cron::parse(&joined).is_ok()).then(|| {
        TriggerError::new("a blank too many stands within a field")
            .at(0..expr.len())
            .write_whole(joined)
    })
}

fn wrong_count(count: usize, text: &str) -> TriggerError {
    if let Some(error) = blanks_too_many(text) {
        return error;
    }
    let error = TriggerError::new(format!(
        "a cron expression has 5 fields (minute hour day month day_of_week), 6 with the second \
         first or 7 with the year last; this one has {count}"
    ))
    .allow("5, 6 or 7 fields");
    if count == 0 {
        return error.example("0 6 * * *");
    }
    if crate::text::duration::looks_like_duration(text) {
        return error.write_whole(format!("every {text}"));
    }
    // A single field may be anything.
    let filled = format!("{text}{}", " *".repeat(5_usize.saturating_sub(count)));
    if (2..5).contains(&count) && Cron::parse(&filled).is_ok() {
        return error.write_whole(filled);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_five_six_and_seven_fields() {
        assert_eq!(
            &*Cron::parse(" 0  6 * * MON-fri ").unwrap().text,
            "0 6 * * mon-fri"
        );
        assert_eq!(Cron::parse("30 0 6 * * *").unwrap().seconds, 1 << 30);
        let years = Cron::parse("0 0 0 1 1 * 2027-2029").unwrap();
        assert_eq!(years.special.unwrap().years, [0b111 << 57, 0, 0]);
        assert_eq!(Cron::parse("@Daily"), Cron::parse("0 0 * * *"));
    }

    #[test]
    fn both_days_restricted_means_either() {
        for (expr, either) in [
            ("0 0 13 * fri", true),
            ("0 0 */2 * fri", false),
            ("0 0 ? * fri", false),
            ("0 0 L * fri#2", true),
            ("0 0 1 * *", false),
        ] {
            assert_eq!(Cron::parse(expr).unwrap().either, either, "{expr}");
        }
    }

    #[test]
    fn fixed_times_are_plain_numbers_in_hour_and_minute() {
        for (expr, frequency) in [
            ("0 6 * * *", false),
            ("0,30 6,18 * * *", false),
            ("*/10 0 6 * * *", false),
            ("0 6-6 * * *", true),
            ("5/15 6 * * *", true),
            ("0 * * * *", true),
        ] {
            assert_eq!(Cron::parse(expr).unwrap().frequency, frequency, "{expr}");
        }
    }

    #[test]
    fn refuses_what_never_fires() {
        for expr in [
            "0 0 31 2 *",
            "0 0 30 feb *",
            "0 0 31 4,6,9,11 *",
            "0 0 31W 2 *",
        ] {
            let error = Cron::parse(expr).unwrap_err();
            assert_eq!(error.field(), Some("day"), "{error}");
            assert_eq!(error.span(), Some(4..expr.len() - 2 - error_month(expr)));
        }
        let year = Cron::parse("0 0 0 29 2 * 2027").unwrap_err();
        assert_eq!((year.field(), year.span()), (Some("year"), Some(13..17)));
        assert!(Cron::parse("0 0 29 2 *").is_ok());
    }

    fn error_month(expr: &str) -> usize {
        expr.split(' ').nth(3).unwrap().len() + 1
    }

    #[test]
    fn reports_every_bad_field() {
        let error = Cron::parse("60 24 * jan mno").unwrap_err();
        let fields: Vec<_> = error.all().filter_map(TriggerError::field).collect();
        assert_eq!(fields, ["minute", "hour", "day_of_week"]);
        assert_eq!(error.all().last().unwrap().span(), Some(12..15));
    }

    #[test]
    fn counts_fields() {
        assert_eq!(
            Cron::parse("0 6 * *").unwrap_err().suggestion(),
            Some("0 6 * * *")
        );
        assert_eq!(
            Cron::parse("5m").unwrap_err().suggestion(),
            Some("every 5m")
        );
        assert_eq!(
            Cron::parse("0 0 29 2 * 2028").unwrap_err().suggestion(),
            Some("0 0 0 29 2 * 2028")
        );
        assert_eq!(
            Cron::parse("@dayly").unwrap_err().suggestion(),
            Some("@daily")
        );
        assert!(Cron::parse("* * * * * * * *").is_err());
    }
}
