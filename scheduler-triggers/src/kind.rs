//! The interface of a kind of trigger: when it fires, its options, how it is written and described.
//!
//! A [`Trigger`] contains a [`TriggerKind`], and `and` and `or` contain triggers, so this file and `trigger.rs` import
//! each other. Neither imports a kind: the [kinds](crate::kinds) build on both.

use std::any::Any;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::bisection::bisect;
use crate::bounds::Bound;
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::moment::{When, from_micros};
use crate::options::Options;
use crate::trigger::Trigger;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

/// How a kind is written.
pub(crate) struct KindSpec {
    /// The `type` of the JSON form.
    pub(crate) name: &'static str,
    /// The first word of the text form.
    pub(crate) word: &'static str,
    /// The kind with its article, for messages.
    pub(crate) title: &'static str,
    /// A text form, for messages.
    pub(crate) example: &'static str,
    /// The field whose value follows the word in the text form.
    pub(crate) after_word: Option<&'static str>,
    /// Its own fields in JSON, which are pairs in the text form.
    pub(crate) fields: &'static [&'static str],
    /// The options that it takes, as JSON names them.
    pub(crate) options: &'static [&'static str],
    pub(crate) build: Build,
}

/// The constructor of a kind.
pub(crate) enum Build {
    Fields(fn(&Fields<'_>) -> Result<Trigger, TriggerError>),
    Triggers(fn(Vec<Trigger>) -> Result<Trigger, TriggerError>),
}

/// The values given for the fields of a kind.
#[derive(Default)]
pub(crate) struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    pub(crate) fn add(&mut self, name: &'a str, value: &'a str) {
        self.0.push((name, value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    pub(crate) fn require(&self, name: &'static str) -> Result<&'a str, TriggerError> {
        self.get(name)
            .ok_or_else(|| TriggerError::new(format!("`{name}` is missing")).in_field(name))
    }
}

/// A value of the JSON form.
#[cfg_attr(not(feature = "serde"), allow(dead_code))] // of use to the JSON form alone
pub(crate) enum FieldValue<'a> {
    Text(String),
    Number(u32),
    Triggers(&'a [Trigger]),
}

/// Everything that differs between kinds. Instants are microseconds since the epoch.
pub(crate) trait TriggerKind: Dynamic {
    fn spec(&self) -> &'static KindSpec;

    // When it fires.

    /// Returns the first fire time after an instant, as part of an ongoing search.
    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64>;

    /// As [`next`](Self::next), without a budget.
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next(after.timestamp_micros(), &mut Effort::unlimited())
            .map(from_micros)
    }

    /// Starts a search that need not go beyond `until`.
    fn next_up_to(&self, after: i64, until: i64, effort: &mut Effort) -> Option<i64> {
        if !effort.begin_search() {
            return None;
        }
        self.next(after, effort).filter(|next| *next <= until)
    }

    /// Returns the latest fire time after `after` and not after `until`.
    fn latest_in(&self, after: i64, until: i64, effort: &mut Effort) -> Option<i64> {
        bisect(after, until, &mut |from| {
            let next = self.next_up_to(from, until, effort);
            effort.answer(next)
        })
    }

    /// Returns the number of fire times after `after` and not after `until`, if it can be computed by arithmetic.
    fn count_in(&self, _after: i64, _until: i64) -> Option<u64> {
        None
    }

    // The triggers inside it.

    fn children(&self) -> &[Trigger] {
        &[]
    }

    /// Returns the triggers inside it whose fire times are all fire times of this one, too.
    fn independent_children(&self) -> &[Trigger] {
        &[]
    }

    // Its options.

    fn options(&self) -> Options {
        Options::NONE
    }

    fn zone(&self) -> Option<Zone> {
        self.options().zone
    }

    fn set_zone(&mut self, _zone: Zone) -> Result<(), TriggerError> {
        Err(self.lacks("timezone"))
    }

    fn set_bound(&mut self, bound: Bound, _at: When) -> Result<(), TriggerError> {
        Err(self.lacks(bound.name()))
    }

    fn set_gap(&mut self, _gap: Gap) -> Result<(), TriggerError> {
        Err(self.lacks("gap"))
    }

    fn set_fold(&mut self, _fold: Fold) -> Result<(), TriggerError> {
        Err(self.lacks("fold"))
    }

    fn set_time(&mut self, _second_of_day: u32) -> Result<(), TriggerError> {
        Err(self.lacks("time"))
    }

    /// Returns the error for an option that the kind does not have.
    fn lacks(&self, option: &'static str) -> TriggerError {
        TriggerError::new(format!("{} has no {option}", self.spec().title)).in_field(option)
    }

    /// Returns the first instant at which it may fire.
    fn start(&self) -> Option<i64> {
        let bounds = self.options().bounds;
        bounds.start.map(|_| bounds.from)
    }

    /// Returns the last instant at which it may fire, including the triggers inside it.
    fn end(&self) -> Option<i64> {
        let bounds = self.options().bounds;
        bounds.end.map(|_| bounds.until)
    }

    // Resolving when its job is added.

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError>;

    fn is_resolved(&self) -> bool;

    /// Takes over the values that another trigger of its kind got when it was resolved.
    fn fill_from(&mut self, _resolved: &dyn TriggerKind) {}

    // How it is written.

    /// Writes the text form, without the options.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Returns the fields of the JSON form, without the options.
    #[cfg_attr(not(feature = "serde"), allow(dead_code))] // of use to the JSON form alone
    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)>;

    /// Writes the frozen text from which hashes of job definitions are computed, without the options; see
    /// [`Trigger::definition_text`].
    fn write_definition(&self, text: &mut String);

    // Descriptions.

    fn describe(&self) -> String;

    /// Returns what may surprise the author of the trigger, except the warnings common to all kinds.
    fn warnings(&self, _now: DateTime<Utc>) -> Vec<String> {
        Vec::new()
    }

    /// Returns why it no longer fires, if the reason is known.
    fn why_never(&self, _now: i64) -> Option<String> {
        None
    }

    /// Returns an addition to the warning that it fires very often.
    fn often_hint(&self) -> Option<&'static str> {
        None
    }
}

/// What every kind can do as a trait object.
pub(crate) trait Dynamic: Any + Send + Sync {
    fn copy(&self) -> Box<dyn TriggerKind>;
    fn is_equal(&self, other: &dyn TriggerKind) -> bool;
}

impl<K: TriggerKind + Clone + PartialEq> Dynamic for K {
    fn copy(&self) -> Box<dyn TriggerKind> {
        Box::new(self.clone())
    }

    fn is_equal(&self, other: &dyn TriggerKind) -> bool {
        as_kind::<K>(other) == Some(self)
    }
}

/// Returns the kind as a `K`, if it is one.
pub(crate) fn as_kind<K: TriggerKind>(kind: &dyn TriggerKind) -> Option<&K> {
    let kind: &dyn Any = kind;
    kind.downcast_ref()
}
