//! User-defined triggers.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, KindSpec, TriggerKind, as_kind};
use crate::moment::{from_micros, whole_micros};
use crate::trigger::Trigger;
use crate::zone::Zone;

/// There is no text or JSON form to read it from.
static SPEC: KindSpec = KindSpec {
    name: "custom",
    word: "custom",
    title: "a custom trigger",
    example: "",
    after_word: None,
    fields: &[],
    options: &[],
    build: Build::Fields(|_| Err(unreadable())),
};

/// Returns the error for an attempt to read a custom trigger.
pub(crate) fn unreadable() -> TriggerError {
    TriggerError::new("a custom trigger is known only to the program that made it")
}

/// A user-defined trigger.
///
/// It must be a pure function of the instant: no state, no clock. It can only be kept in memory, since it has no text
/// form.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use scheduler_triggers::{CustomTrigger, Trigger};
///
/// /// Whole multiples of 90 seconds since the epoch.
/// #[derive(Debug)]
/// struct EveryNinetySeconds;
///
/// impl CustomTrigger for EveryNinetySeconds {
///     fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
///         DateTime::from_timestamp((after.timestamp() / 90 + 1) * 90, 0)
///     }
///
///     fn describe(&self) -> String {
///         "every 90 s of the epoch".to_owned()
///     }
/// }
///
/// let trigger = Trigger::custom(EveryNinetySeconds);
/// let next = trigger.next_after(DateTime::UNIX_EPOCH).unwrap();
/// assert_eq!(next - DateTime::UNIX_EPOCH, TimeDelta::seconds(90));
/// ```
///
/// A custom trigger that contains another trigger has to forward [`resolve`](Self::resolve). Otherwise an interval
/// inside it counts from the epoch instead of from when the job is added, and times of day are in UTC.
pub trait CustomTrigger: Send + Sync + fmt::Debug {
    /// Returns the first fire time after an instant; an answer that is not after it ends the trigger.
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>>;

    /// Fills in what is left open until a job is added: returns the trigger that replaces this one, or `None`, the
    /// default, if nothing is left open.
    ///
    /// # Errors
    /// As [`Trigger::resolve`](crate::Trigger::resolve).
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use chrono::{DateTime, TimeDelta, Timelike, Utc};
    /// use scheduler_triggers::{CustomTrigger, Trigger, TriggerError, Zone};
    ///
    /// /// The morning fire times of another trigger.
    /// #[derive(Debug)]
    /// struct Mornings(Trigger);
    ///
    /// impl CustomTrigger for Mornings {
    ///     fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    ///         self.0.upcoming(after).find(|at| at.hour() < 12)
    ///     }
    ///
    ///     fn resolve(
    ///         &self,
    ///         now: DateTime<Utc>,
    ///         default_zone: Zone,
    ///     ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
    ///         Ok(Some(Arc::new(Self(self.0.resolve(now, default_zone)?))))
    ///     }
    /// }
    ///
    /// let now: DateTime<Utc> = "2026-01-01T09:10:00Z".parse()?;
    /// let mornings = Trigger::custom(Mornings(Trigger::every("90m")?)).resolve(now, Zone::UTC)?;
    /// // Counted from `now`, as for an interval that is added directly.
    /// assert_eq!(mornings.next_after(now), Some(now + TimeDelta::minutes(90)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn resolve(
        &self,
        _now: DateTime<Utc>,
        _default_zone: Zone,
    ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
        Ok(None)
    }

    /// Describes the trigger for a reader.
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

#[derive(Clone)]
struct Custom(Arc<dyn CustomTrigger>);

/// Two values of a user's type cannot be compared; a value is only equal to itself.
impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Trigger {
    /// Creates a user-defined trigger; see [`CustomTrigger`].
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
        Self::new(Custom(Arc::new(trigger)))
    }

    /// Returns `true` if this is, or contains, a user-defined trigger, which has no text form.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(!Trigger::every("5m").unwrap().is_custom());
    /// ```
    pub fn is_custom(&self) -> bool {
        let kind = self.kind_of();
        as_kind::<Custom>(kind).is_some() || kind.children().iter().any(Self::is_custom)
    }
}

impl TriggerKind for Custom {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        effort.charge(0);
        // A faulty implementation must not break the invariants of the searches.
        self.0
            .next_after(from_micros(after))
            .map(whole_micros)
            .filter(|next| *next > after)
    }

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        if let Some(resolved) = self.0.resolve(now, default_zone)? {
            self.0 = resolved;
        }
        Ok(())
    }

    fn is_resolved(&self) -> bool {
        true
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "custom {}", self.0.describe())
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        Vec::new()
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("custom ");
        text.push_str(&self.0.describe());
    }

    fn describe(&self) -> String {
        let text = self.0.describe();
        if text.trim().is_empty() {
            format!("custom {text}")
        } else {
            text
        }
    }
}
