//! The instants at which any of several triggers fires.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, KindSpec, TriggerKind, as_kind};
use crate::kinds::children::Children;
use crate::trigger::Trigger;
use crate::zone::Zone;

pub(super) static SPEC: KindSpec = KindSpec {
    name: "or",
    word: "or",
    title: "`or`",
    example: "or(cron 0 6 * * *; every 1h)",
    after_word: None,
    fields: &["triggers"],
    options: &[],
    build: Build::Triggers(Trigger::or),
};

#[derive(Clone, PartialEq)]
struct Or {
    children: Children,
}

impl Trigger {
    /// Creates a trigger for the instants at which any of the triggers fires.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::or(vec![Trigger::cron("0 6 * * *")?, Trigger::every("1h")?])?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If there are no triggers, or more than 100 in total.
    pub fn or(triggers: Vec<Self>) -> Result<Self, TriggerError> {
        let children = Children::new("or", triggers)?;
        Ok(Self::new(Or { children }))
    }
}

impl TriggerKind for Or {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    /// The leaps of one child do not count for the next, since otherwise an `and` that gives up would silence its
    /// siblings; the largest count is kept.
    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        let before = effort.leaps;
        let (mut most, mut first) = (before, None);
        for child in self.children() {
            if !effort.may_go_on() {
                return None;
            }
            effort.leaps = before;
            let next = child.kind_of().next(after, effort);
            most = most.max(effort.leaps);
            first = match (first, next) {
                (Some(first), Some(next)) => Some(i64::min(first, next)),
                (first, next) => first.or(next),
            };
        }
        effort.leaps = most;
        // If another child was cut off, the earliest that was found may not be the first.
        first.filter(|_| !effort.is_exhausted())
    }

    fn latest_in(&self, after: i64, until: i64, effort: &mut Effort) -> Option<i64> {
        let children = self.children().iter();
        children
            .filter_map(|child| child.kind_of().latest_in(after, until, effort))
            .max()
    }

    fn children(&self) -> &[Trigger] {
        self.children.all()
    }

    fn independent_children(&self) -> &[Trigger] {
        self.children.all()
    }

    fn zone(&self) -> Option<Zone> {
        self.children.zone()
    }

    fn lacks(&self, option: &'static str) -> TriggerError {
        Children::lacks(self, option)
    }

    fn end(&self) -> Option<i64> {
        let ends = self.children().iter();
        let ends: Option<Vec<_>> = ends.map(|child| child.kind_of().end()).collect();
        ends?.into_iter().max()
    }

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        self.children.resolve(now, default_zone)
    }

    fn is_resolved(&self) -> bool {
        self.children.is_resolved()
    }

    fn fill_from(&mut self, resolved: &dyn TriggerKind) {
        if as_kind::<Self>(resolved).is_some() {
            self.children.fill_from(resolved.children());
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("or")?;
        self.children.write(f)
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        vec![("triggers", FieldValue::Triggers(self.children()))]
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("or");
        self.children.write_definition(text);
    }

    fn describe(&self) -> String {
        self.children.describe("at each of these")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two intervals that never meet.
    const NEVER: &str =
        "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)";

    #[test]
    fn one_that_gives_up_does_not_silence_its_siblings() {
        let either: Trigger = format!("or({NEVER}; and(@daily; @hourly))")
            .parse()
            .unwrap();
        let next = either.kind_of().next(1, &mut Effort::unlimited());
        assert_eq!(next, Some(86_400_000_000));
    }
}
