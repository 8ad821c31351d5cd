//! The trigger: a value of one of the [kinds](crate::kinds).

use std::fmt;
use std::sync::Arc;

use crate::kind::TriggerKind;

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
/// // Clocks go forward on the Sunday in between.
/// assert_eq!(trigger.next_after(friday), Some("2026-03-30T04:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Trigger(Arc<dyn TriggerKind>);

impl Trigger {
    pub(crate) fn new(kind: impl TriggerKind) -> Self {
        Self(Arc::new(kind))
    }

    pub(crate) fn kind_of(&self) -> &dyn TriggerKind {
        &*self.0
    }

    /// Changes the trigger in place if it is not shared, and a copy of it otherwise.
    pub(crate) fn edit<R>(&mut self, change: impl FnOnce(&mut dyn TriggerKind) -> R) -> R {
        if let Some(own) = Arc::get_mut(&mut self.0) {
            return change(own);
        }
        let mut copy = self.0.copy();
        let result = change(&mut *copy);
        self.0 = copy.into();
        result
    }

    /// Returns the `type` of the JSON form: `interval`, `cron`, `calendar_interval`, `date`, `and`, `or`
    /// or `custom`.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("5m").unwrap().kind(), "interval");
    /// ```
    pub fn kind(&self) -> &'static str {
        self.0.spec().name
    }
}

impl PartialEq for Trigger {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_equal(&*other.0)
    }
}

impl fmt::Debug for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trigger({self})")
    }
}
