//! The instants that several triggers have in common.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, KindSpec, TriggerKind, as_kind};
use crate::kinds::children::Children;
use crate::kinds::interval::Interval;
use crate::trigger::Trigger;
use crate::zone::Zone;

pub(super) static SPEC: KindSpec = KindSpec {
    name: "and",
    word: "and",
    title: "`and`",
    example: "and(cron 0 6 * * *; cron 0 */2 * * *)",
    after_word: None,
    fields: &["triggers"],
    options: &[],
    build: Build::Triggers(Trigger::and),
};

#[derive(Clone, PartialEq)]
struct And {
    children: Children,
}

impl Trigger {
    /// Creates a trigger for the instants at which all of the triggers fire.
    ///
    /// It skips from candidate to candidate at most 100,000 times, including the `and` triggers inside it, and then
    /// ends.
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
    /// If there are no triggers, more than 100 in total, or an interval among them has no start.
    pub fn and(triggers: Vec<Self>) -> Result<Self, TriggerError> {
        let children = Children::new("and", triggers)?;
        if children.all().iter().any(has_free_interval) {
            return Err(TriggerError::new(
                "an interval inside `and` must give its start, or it would share no instant with \
                 the others",
            )
            .in_field("start")
            .write("start=2026-01-01T00:00:00Z"));
        }
        Ok(Self::new(And { children }))
    }
}

fn has_free_interval(trigger: &Trigger) -> bool {
    let kind = trigger.kind_of();
    as_kind::<Interval>(kind).is_some_and(|interval| interval.anchor().is_none())
        || kind.children().iter().any(has_free_interval)
}

impl TriggerKind for And {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        self.first_common(after, i64::MAX, effort)
    }

    /// Does not search beyond the window.
    fn next_up_to(&self, after: i64, until: i64, effort: &mut Effort) -> Option<i64> {
        if !effort.begin_search() {
            return None;
        }
        self.first_common(after, until, effort)
    }

    fn children(&self) -> &[Trigger] {
        self.children.all()
    }

    /// A property of one child need not hold for the instants that all children share.
    fn independent_children(&self) -> &[Trigger] {
        match self.children.all() {
            only @ [_] => only,
            _ => &[],
        }
    }

    fn zone(&self) -> Option<Zone> {
        self.children.zone()
    }

    fn lacks(&self, option: &'static str) -> TriggerError {
        Children::lacks(self, option)
    }

    fn end(&self) -> Option<i64> {
        let ends = self.children().iter();
        ends.filter_map(|child| child.kind_of().end()).min()
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
        f.write_str("and")?;
        self.children.write(f)
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        vec![("triggers", FieldValue::Triggers(self.children()))]
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("and");
        self.children.write_definition(text);
    }

    fn describe(&self) -> String {
        let lead = match self.children() {
            [_, _] => "only when both",
            _ => "only when all",
        };
        self.children.describe(lead)
    }

    fn why_never(&self, _now: i64) -> Option<String> {
        Some("no instant was found that all of its triggers name: it does not run".to_owned())
    }
}

impl And {
    /// Returns the first instant after `after`, and not after `until`, at which every child fires. Each leap goes to
    /// the latest of the children's next fire times: nothing before it can be common to all.
    fn first_common(&self, after: i64, until: i64, effort: &mut Effort) -> Option<i64> {
        let mut least = after;
        while effort.leap() {
            let mut latest = i64::MIN;
            let mut agreed = true;
            for (index, child) in self.children().iter().enumerate() {
                if !effort.may_go_on() {
                    return None;
                }
                let next = child.kind_of().next(least, effort)?;
                agreed &= index == 0 || next == latest;
                latest = latest.max(next);
            }
            if latest > until {
                return None;
            }
            if agreed {
                return Some(latest);
            }
            least = latest - 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::children::MAX_DEPTH;

    #[test]
    fn leaps_of_one_inside_another_are_not_multiplied() {
        // The inner trigger needs some thousand leaps for each of its instants, again and again.
        let slow =
            "and(every 1001ms start=2026-01-01; every 1003ms start=2026-01-01T00:00:00.001Z)";
        let mut text = slow.to_owned();
        for start in 1..MAX_DEPTH - 1 {
            text = format!("and({text}; every 3607ms start=2026-01-01T00:00:00.00{start}Z)");
        }
        let nested: Trigger = text.parse().unwrap();
        let mut effort = Effort::unlimited();
        assert_eq!(nested.kind_of().next(0, &mut effort), None);
        assert_eq!(effort.leaps, 100_000);
    }
}
