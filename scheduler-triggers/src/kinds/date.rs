//! A single fire time.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::definition_text::write_frozen_when;
use crate::describe::options::describe_zone;
use crate::describe::wording::{date_of, time_of};
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, Fields, KindSpec, TriggerKind};
use crate::moment::When;
use crate::options::Options;
use crate::trigger::Trigger;
use crate::warnings;
use crate::zone::Zone;

pub(super) static SPEC: KindSpec = KindSpec {
    name: "date",
    word: "at",
    title: "a date",
    example: "at 2026-12-31T23:59:00Z",
    after_word: Some("at"),
    fields: &["at"],
    options: &["timezone"],
    build: Build::Fields(build),
};

fn build(fields: &Fields<'_>) -> Result<Trigger, TriggerError> {
    fields
        .get("at")
        .map_or_else(|| Ok(Trigger::now()), Trigger::at)
}

/// Fires once. Without an instant it fires as soon as it is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    at: Option<When>,
    zone: Option<Zone>,
    /// The instant that `at` means in the zone, in microseconds.
    micros: Option<i64>,
}

impl Trigger {
    /// Creates a trigger that fires once.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::date(chrono::DateTime::UNIX_EPOCH);
    /// assert_eq!(trigger.to_string(), "at 1970-01-01T00:00:00Z");
    /// ```
    pub fn date(at: DateTime<Utc>) -> Self {
        let at = When::Instant(at.timestamp_micros());
        Self::new(Date::new(Some(at), None))
    }

    /// Creates a trigger that fires once, at an RFC 3339 instant. A time without an offset is in the trigger's zone;
    /// `now` fires as soon as the job is added.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::at("2026-12-31T23:59:00Z")?;
    /// let in_shanghai = Trigger::at("2026-12-31T23:59")?.timezone_name("Asia/Shanghai")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the text is not a date and time, or outside the years 1970 to 2099.
    pub fn at(text: &str) -> Result<Self, TriggerError> {
        if text.trim() == "now" {
            return Ok(Self::now());
        }
        let at = When::parse(text).map_err(|error| error.in_field("at"))?;
        Ok(Self::new(Date::new(Some(at), None)))
    }

    /// Creates a trigger that fires once, as soon as it is added: [`resolve`](Self::resolve)
    /// fills in the instant.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(!Trigger::now().is_resolved());
    /// ```
    pub fn now() -> Self {
        Self::new(Date::new(None, None))
    }
}

impl Date {
    fn new(at: Option<When>, zone: Option<Zone>) -> Self {
        let micros = at.map(|at| at.first_micros(zone.unwrap_or(Zone::UTC)));
        Self { at, zone, micros }
    }
}

impl TriggerKind for Date {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        effort.charge(0);
        self.micros.filter(|at| *at > after)
    }

    fn options(&self) -> Options {
        Options {
            zone: self.zone,
            ..Options::NONE
        }
    }

    fn set_zone(&mut self, zone: Zone) -> Result<(), TriggerError> {
        if self.at.is_some_and(|at| !at.needs_zone()) {
            return Err(TriggerError::new(
                "the date already has an offset, so a time zone would change nothing",
            )
            .in_field("timezone"));
        }
        *self = Self::new(self.at, Some(zone));
        Ok(())
    }

    fn lacks(&self, option: &'static str) -> TriggerError {
        TriggerError::new(format!("a date has no {option}: it fires once")).in_field(option)
    }

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        let at = match self.at {
            Some(at) => at,
            None => When::Instant(now.timestamp_micros()).checked_first_fire("at")?,
        };
        let zone = at.needs_zone().then_some(self.zone.unwrap_or(default_zone));
        *self = Self::new(Some(at), zone);
        Ok(())
    }

    fn is_resolved(&self) -> bool {
        self.at
            .is_some_and(|at| self.zone.is_some() || !at.needs_zone())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "at {at}"),
            None => f.write_str("at now"),
        }
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        let at = self.at.map(|at| ("at", FieldValue::Text(at.to_string())));
        at.into_iter().collect()
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("at ");
        match self.at {
            Some(at) => write_frozen_when(text, at),
            None => text.push_str("now"),
        }
    }

    fn describe(&self) -> String {
        let Some(at) = self.at else {
            return "once, as soon as it is added".to_owned();
        };
        let wall = at.rough();
        let zone = match (at, self.zone) {
            (When::Instant(_), _) | (_, Some(Zone::UTC)) => " UTC".to_owned(),
            (_, Some(zone)) => describe_zone(zone),
            (_, None) => String::new(),
        };
        format!(
            "once, on {} {} at {}{zone}",
            wall.format("%A"),
            date_of(wall),
            time_of(wall)
        )
    }

    fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let Some(at) = self.at.filter(|at| at.needs_zone()) else {
            return Vec::new();
        };
        if self.micros.is_some_and(|at| at < now.timestamp_micros()) {
            return Vec::new();
        }
        match self.zone {
            None => vec![warnings::no_zone()],
            Some(zone) => warnings::changes::of_date(at.rough(), zone)
                .into_iter()
                .collect(),
        }
    }

    fn why_never(&self, now: i64) -> Option<String> {
        let at = self.micros.filter(|at| *at < now)?;
        let at = warnings::in_words(at, self.zone);
        Some(format!("{at} has passed: it never runs"))
    }
}
