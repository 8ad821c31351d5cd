//! The kinds of triggers, one file each.
//!
//! A file contains everything specific to its kind: when it fires, its text and JSON forms, its options, its
//! description and its warnings. A new kind is another such file, which implements
//! [`TriggerKind`](crate::kind::TriggerKind), and a line in [`KINDS`].

mod and;
mod calendar_interval;
pub(crate) mod children;
pub(crate) mod cron;
pub(crate) mod custom;
mod date;
pub(crate) mod interval;
mod or;

use crate::kind::KindSpec;
use crate::trigger::Trigger;

/// Every kind that can be written as text or as JSON.
pub(crate) static KINDS: [&KindSpec; 6] = [
    &interval::SPEC,
    &cron::SPEC,
    &calendar_interval::SPEC,
    &date::SPEC,
    &and::SPEC,
    &or::SPEC,
];

impl Trigger {
    /// Returns the kinds that have a JSON form, by the name in its `type`.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(Trigger::kinds().any(|kind| kind == "calendar_interval"));
    /// ```
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name)
    }
}
