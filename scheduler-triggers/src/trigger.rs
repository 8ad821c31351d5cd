//! The trigger and its constructors.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::kinds::calendar_interval::Calendar;
use crate::kinds::calendar_interval::builder::CalendarInterval;
use crate::kinds::combine;
use crate::cron::Cron;
use crate::cron::keyword::CronFields;
use crate::kinds::custom::CustomTrigger;
use crate::kinds::date::Date;
use crate::text::duration::parse_duration;
use crate::error::TriggerError;
use crate::kinds::interval::Interval;
use crate::moment::When;
use crate::zone::Zone;

/// When a job fires: a pure function from an instant to the next fire time.
///
/// Cloning is cheap. A trigger has a text form ([`Display`](fmt::Display) and
/// [`FromStr`](std::str::FromStr)) and, with the feature `serde`, a JSON form.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use scheduler_triggers::Trigger;
///
/// let trigger: Trigger = "cron 0 6 * * mon-fri timezone=Europe/Berlin".parse()?;
/// let friday: DateTime<Utc> = "2026-03-27T12:00:00Z".parse()?;
/// // Clocks go forward on the Sunday between.
/// assert_eq!(trigger.next_after(friday), Some("2026-03-30T04:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Trigger(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Interval(Arc<Interval>),
    Cron(Arc<Cron>),
    Calendar(Arc<Calendar>),
    Date(Arc<Date>),
    And(Arc<[Trigger]>),
    Or(Arc<[Trigger]>),
    Custom(Arc<dyn CustomTrigger>),
}

impl Trigger {
    /// Creates a trigger from a crontab(5) expression of 5 to 7 fields, or `@daily` and the like.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let mornings = Trigger::cron("0 6 * * mon-fri")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// Reports every field that cannot be read, or that the expression could never fire.
    pub fn cron(expr: &str) -> Result<Self, TriggerError> {
        Ok(Self(Kind::Cron(Arc::new(Cron::parse(expr)?))))
    }

    /// Lists everything that is wrong with a cron expression; nothing when it is right.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::cron_errors("60 6 * * mno").len(), 2);
    /// ```
    pub fn cron_errors(expr: &str) -> Vec<TriggerError> {
        match Cron::parse(expr) {
            Ok(_) => Vec::new(),
            Err(error) => error.all().cloned().collect(),
        }
    }

    /// Begins a cron trigger that is written field by field.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let mornings = Trigger::cron_fields().day_of_week("mon-fri").hour(6).build()?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn cron_fields() -> CronFields {
        CronFields::default()
    }

    /// Creates a trigger that fires whenever so much time has passed, from 1 ms on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::interval(Duration::from_secs(90))?;
    /// assert_eq!(trigger.to_string(), "every 1m 30s");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the interval is shorter than a millisecond.
    pub fn interval(every: Duration) -> Result<Self, TriggerError> {
        Ok(Self(Kind::Interval(Arc::new(Interval::new(every)?))))
    }

    /// Creates an interval from text such as `90m`; see [`parse_duration`].
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("90m")?, Trigger::every("1h 30m")?);
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no duration or shorter than a millisecond.
    pub fn every(text: &str) -> Result<Self, TriggerError> {
        parse_duration(text)
            .map_err(|error| error.in_field("every"))
            .and_then(|every| {
                Self::interval(every).map_err(|error| error.at(0..text.len()).in_text(text))
            })
    }

    /// Begins a trigger for the same wall-clock time every so many calendar days or months.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::calendar_interval().months(1).time("02:30").build()?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn calendar_interval() -> CalendarInterval {
        CalendarInterval::default()
    }

    /// Creates a trigger that fires once.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::date(chrono::DateTime::UNIX_EPOCH);
    /// assert_eq!(trigger.to_string(), "at 1970-01-01T00:00:00Z");
    /// ```
    pub fn date(at: DateTime<Utc>) -> Self {
        Self::date_at(Some(When::Instant(at.timestamp_micros())))
    }

    /// Creates a trigger that fires once, at an RFC 3339 instant. Without an offset it is a time
    /// on the wall of the trigger's zone; `now` fires as soon as the job is added.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::at("2026-12-31T23:59:00Z")?;
    /// let in_shanghai = Trigger::at("2026-12-31T23:59")?.timezone_name("Asia/Shanghai")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no date and time, or outside the years 1970 to 2099.
    pub fn at(text: &str) -> Result<Self, TriggerError> {
        if text.trim() == "now" {
            return Ok(Self::now());
        }
        let at = When::parse(text).map_err(|error| error.in_field("at"))?;
        Ok(Self::date_at(Some(at)))
    }

    /// Creates a trigger that fires once, as soon as it is added: [`resolve`](Self::resolve)
    /// fills in the instant.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(!Trigger::now().is_resolved());
    /// ```
    pub fn now() -> Self {
        Self::date_at(None)
    }

    fn date_at(at: Option<When>) -> Self {
        Self(Kind::Date(Arc::new(Date::new(at, None))))
    }

    /// Creates a trigger for the instants that all of the triggers name.
    ///
    /// It leaps from candidate to candidate at most 100,000 times, those inside it included, and
    /// then ends.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::and(vec![
    ///     Trigger::cron("0 */2 * * *")?,
    ///     Trigger::cron("0 */3 * * *")?,
    /// ])?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When there are no triggers, more than 100 in all, or an interval among them has no start.
    pub fn and(triggers: Vec<Self>) -> Result<Self, TriggerError> {
        combine::check("and", &triggers)?;
        Ok(Self(Kind::And(triggers.into())))
    }

    /// Creates a trigger for the instants that any of the triggers names.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::or(vec![Trigger::cron("0 6 * * *")?, Trigger::every("1h")?])?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When there are no triggers, or more than 100 in all.
    pub fn or(triggers: Vec<Self>) -> Result<Self, TriggerError> {
        combine::check("or", &triggers)?;
        Ok(Self(Kind::Or(triggers.into())))
    }

    /// Creates a trigger of the user's own; see [`CustomTrigger`].
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use scheduler_triggers::{CustomTrigger, Trigger};
    ///
    /// #[derive(Debug)]
    /// struct Never;
    ///
    /// impl CustomTrigger for Never {
    ///     fn next_after(&self, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
    ///         None
    ///     }
    /// }
    ///
    /// assert_eq!(Trigger::custom(Never).to_string(), "custom Never");
    /// ```
    pub fn custom(trigger: impl CustomTrigger + 'static) -> Self {
        Self(Kind::Custom(Arc::new(trigger)))
    }

    /// Whether this is, or contains, a trigger of the user's own, which has no text form.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(!Trigger::every("5m").unwrap().is_custom());
    /// ```
    pub fn is_custom(&self) -> bool {
        match &self.0 {
            Kind::Custom(_) => true,
            Kind::And(children) | Kind::Or(children) => children.iter().any(Self::is_custom),
            _ => false,
        }
    }

    /// The `type` of the JSON form: `interval`, `cron`, `calendar_interval`, `date`, `and`, `or`
    /// or `custom`.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("5m").unwrap().kind(), "interval");
    /// ```
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Interval(_) => "interval",
            Kind::Cron(_) => "cron",
            Kind::Calendar(_) => "calendar_interval",
            Kind::Date(_) => "date",
            Kind::And(_) => "and",
            Kind::Or(_) => "or",
            Kind::Custom(_) => "custom",
        }
    }

    /// The length of an interval; `None` for other triggers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("5m").unwrap().interval_length(), Some(Duration::from_secs(300)));
    /// ```
    pub fn interval_length(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Interval(interval) => u64::try_from(interval.every)
                .ok()
                .map(Duration::from_micros),
            _ => None,
        }
    }

    /// The time zone; for `and` and `or` the one that all their triggers share.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.timezone_name("Asia/Shanghai")?;
    /// assert_eq!(trigger.zone().unwrap().name(), "Asia/Shanghai");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn zone(&self) -> Option<Zone> {
        match &self.0 {
            Kind::Interval(interval) => interval.zone(),
            Kind::Cron(cron) => cron.zone,
            Kind::Calendar(calendar) => calendar.zone,
            Kind::Date(date) => date.zone,
            Kind::And(children) | Kind::Or(children) => {
                let first = children.first()?.zone();
                children
                    .iter()
                    .all(|child| child.zone() == first)
                    .then_some(first)?
            }
            Kind::Custom(_) => None,
        }
    }
}

impl PartialEq for Trigger {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Interval(a), Kind::Interval(b)) => a == b,
            (Kind::Cron(a), Kind::Cron(b)) => a == b,
            (Kind::Calendar(a), Kind::Calendar(b)) => a == b,
            (Kind::Date(a), Kind::Date(b)) => a == b,
            (Kind::And(a), Kind::And(b)) | (Kind::Or(a), Kind::Or(b)) => a == b,
            // Two values of a user's type cannot be compared; one value is equal to itself.
            (Kind::Custom(a), Kind::Custom(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trigger({self})")
    }
}
