//! Instants whose fields match a cron expression.
//!
//! This file has the parts that all kinds have; the folder `cron/` contains its two languages and the search.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::bounds::{Bound, Bounds};
use crate::cron::Cron;
use crate::cron::field::Field;
use crate::cron::keyword::CronFields;
use crate::describe::cron::describe;
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, Fields, KindSpec, TriggerKind};
use crate::moment::When;
use crate::options::Options;
use crate::text::foreign;
use crate::text::parse::errors_in;
use crate::text::words::{Token, tokens};
use crate::trigger::Trigger;
use crate::warnings;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

pub(super) static SPEC: KindSpec = KindSpec {
    name: "cron",
    word: "cron",
    title: "a cron trigger",
    example: "cron 0 6 * * *",
    after_word: Some("expr"),
    fields: &[
        "expr",
        "year",
        "month",
        "day",
        "week",
        "day_of_week",
        "hour",
        "minute",
        "second",
    ],
    options: &["timezone", "start", "end", "gap", "fold"],
    build: Build::Fields(build),
};

fn build(given: &Fields<'_>) -> Result<Trigger, TriggerError> {
    let mut fields = CronFields::default();
    let mut first = None;
    for field in Field::ALL {
        if let Some(text) = given.get(field.name()) {
            first.get_or_insert(field);
            fields = fields.set(field, text.to_owned());
        }
    }
    match (given.get("expr"), first) {
        (Some(_), Some(field)) => Err(TriggerError::new(format!(
            "both `expr` and `{}` are given; a cron trigger is one expression or fields",
            field.name()
        ))
        .in_field(field.name())),
        (Some(expr), None) => cron_of(expr),
        (None, Some(_)) => fields.build(),
        (None, None) => Err(
            TriggerError::new("a cron trigger needs `expr` or at least one field")
                .example("0 6 * * *"),
        ),
    }
}

/// Returns the trigger, or errors whose advice has not been checked yet.
pub(crate) fn cron_of(expr: &str) -> Result<Trigger, TriggerError> {
    let cron = Cron::parse(expr).map_err(|error| error.whole_of(&(0..expr.len())))?;
    Ok(Trigger::new(cron))
}

/// Returns the errors of an expression, with only the advice that helps.
#[cold]
fn advised(error: TriggerError, expr: &str) -> TriggerError {
    let error = foreign::looks_alike(expr, errors_in).unwrap_or(error);
    error.in_text(expr).checked(expr, errors_in)
}

impl Trigger {
    /// Creates a trigger from a crontab(5) expression of 5 to 7 fields, or a nickname such as `@daily`.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let mornings = Trigger::cron("0 6 * * mon-fri")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// Reports every unreadable field, or that the expression could never fire.
    pub fn cron(expr: &str) -> Result<Self, TriggerError> {
        cron_of(expr).map_err(|error| advised(error, expr))
    }

    /// Returns all errors of a cron expression; empty if it is valid.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron_errors("60 6 * * mno").len(), 2);
    /// ```
    pub fn cron_errors(expr: &str) -> Vec<TriggerError> {
        match Cron::parse(expr) {
            Ok(_) => Vec::new(),
            Err(error) => advised(error, expr).all().cloned().collect(),
        }
    }

    /// Starts building a cron trigger field by field.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let mornings = Trigger::cron_fields().day_of_week("mon-fri").hour(6).build()?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn cron_fields() -> CronFields {
        CronFields::default()
    }
}

impl TriggerKind for Cron {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        let mut months = 0;
        let next = self.next_micros(after, &mut months);
        effort.charge(months);
        next
    }

    /// The most frequent call does not need microseconds. A leap second counts as the next second.
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = after.timestamp() + i64::from(after.timestamp_subsec_nanos() / 1_000_000_000);
        DateTime::from_timestamp(self.next_second(seconds, &mut 0)?, 0)
    }

    fn options(&self) -> Options {
        Options {
            zone: self.zone,
            bounds: self.bounds(),
            gap: self.gap,
            fold: self.fold,
        }
    }

    fn set_zone(&mut self, zone: Zone) -> Result<(), TriggerError> {
        let Bounds { start, end, .. } = self.bounds();
        self.zone = Some(zone);
        self.set_bounds(Bounds::new(start, end, zone)?)
    }

    fn set_bound(&mut self, bound: Bound, at: When) -> Result<(), TriggerError> {
        self.set_bounds(self.bounds().with(bound, at, self.zone)?)
    }

    fn set_gap(&mut self, gap: Gap) -> Result<(), TriggerError> {
        self.gap = Some(gap);
        Ok(())
    }

    fn set_fold(&mut self, fold: Fold) -> Result<(), TriggerError> {
        self.fold = Some(fold);
        Ok(())
    }

    fn resolve(&mut self, _: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        match self.zone {
            None => self.set_zone(default_zone),
            Some(_) => Ok(()),
        }
    }

    fn is_resolved(&self) -> bool {
        self.zone.is_some()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cron {}", self.text)
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        if !self.keyword {
            return vec![("expr", text(&self.text))];
        }
        let tokens = tokens(&self.text).unwrap_or_default();
        tokens
            .into_iter()
            .filter_map(|token| match token {
                Token::Pair(key, value) => {
                    Some((Field::from_name(key.text)?.name(), text(value.text)))
                }
                Token::Bare(_) => None,
            })
            .collect()
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("cron ");
        text.push_str(&self.text);
    }

    fn describe(&self) -> String {
        describe(self).unwrap_or_else(|| Trigger::new(self.clone()).to_string())
    }

    fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let next = self.next_micros(now.timestamp_micros(), &mut 0);
        if next.is_none() {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        if self.zone.is_none() && self.hours.count_ones() < 24 {
            warnings.push(warnings::no_zone());
        }
        warnings.extend(warnings::elsewhere::weekday_numbers(self));
        let beyond = warnings::steps::beyond(self);
        if !beyond.names_both {
            warnings.extend(warnings::days::both(self));
        }
        warnings.extend(beyond.warnings);
        warnings.extend(warnings::days::missing_in_cron(self, next));
        warnings.extend(warnings::days::over_the_end(self));
        warnings.extend(warnings::days::every_minute(self));
        warnings.extend(warnings::days::day_that_never_is(self));
        warnings.extend(warnings::steps::uneven(self));
        warnings.extend(warnings::steps::without_sunday(self));
        warnings.extend(warnings::periods::of_weeks(self, next));
        if self.frequency {
            warnings.extend(warnings::changes::lost_day(self, now.timestamp()));
        } else {
            warnings.extend(warnings::changes::of_cron(self, now.timestamp()));
        }
        warnings
    }

    fn often_hint(&self) -> Option<&'static str> {
        (!self.keyword && self.seconds.count_ones() == 60)
            .then_some("the first field is the second: `0` there is once a minute")
    }
}

impl Cron {
    fn bounds(&self) -> Bounds {
        self.bounds.as_deref().copied().unwrap_or(Bounds::NONE)
    }

    /// Sets the bounds, unless no fire time would remain.
    fn set_bounds(&mut self, bounds: Bounds) -> Result<(), TriggerError> {
        self.bounds = (bounds != Bounds::NONE).then(|| Box::new(bounds));
        if self.can_fire() {
            return Ok(());
        }
        let key = if bounds.end.is_some() { "end" } else { "start" };
        Err(TriggerError::new(format!(
            "`{}` never fires between its start and its end",
            self.text
        ))
        .in_field(key))
    }
}
