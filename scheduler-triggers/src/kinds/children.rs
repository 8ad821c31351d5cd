//! Triggers inside `and` and `or`: their maximum number and depth, and their common properties.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::TriggerError;
use crate::kind::TriggerKind;
use crate::trigger::Trigger;
use crate::zone::Zone;

/// The maximum number of triggers inside one, at any depth: each may cost as many leaps.
const MAX_TRIGGERS: usize = 100;
/// Bounds the stack that the parser and the search can use for a text.
pub(crate) const MAX_DEPTH: usize = 8;

/// The triggers inside another one.
#[derive(Clone, PartialEq)]
pub(super) struct Children(Arc<[Trigger]>);

impl Children {
    /// Checks that there is at least one, and not too many.
    pub(super) fn new(parent: &'static str, children: Vec<Trigger>) -> Result<Self, TriggerError> {
        let error = if children.is_empty() {
            format!("`{parent}` needs at least one trigger")
        } else if let count = children.iter().map(count).sum::<usize>()
            && count > MAX_TRIGGERS
        {
            format!("`{parent}` takes up to {MAX_TRIGGERS} triggers, not {count}")
        } else if children.iter().map(depth).max() >= Some(MAX_DEPTH) {
            format!("`and` and `or` are nested more than {MAX_DEPTH} deep")
        } else {
            return Ok(Self(children.into()));
        };
        Err(TriggerError::new(error).in_field("triggers"))
    }

    pub(super) fn all(&self) -> &[Trigger] {
        &self.0
    }

    /// Returns the time zone that all of them share, if they do.
    pub(super) fn zone(&self) -> Option<Zone> {
        let first = self.0.first()?.zone();
        self.0
            .iter()
            .all(|child| child.zone() == first)
            .then_some(first)?
    }

    pub(super) fn resolve(
        &mut self,
        now: DateTime<Utc>,
        default_zone: Zone,
    ) -> Result<(), TriggerError> {
        let resolved: Result<_, _> = self
            .0
            .iter()
            .map(|child| child.resolve(now, default_zone))
            .collect();
        self.0 = resolved?;
        Ok(())
    }

    pub(super) fn is_resolved(&self) -> bool {
        self.0.iter().all(Trigger::is_resolved)
    }

    pub(super) fn fill_from(&mut self, resolved: &[Trigger]) {
        if self.0.len() == resolved.len() {
            let pairs = self.0.iter().zip(resolved);
            self.0 = pairs
                .map(|(child, resolved)| child.filled_from(resolved))
                .collect();
        }
    }

    /// Returns the error for an option, which belongs to the triggers inside.
    pub(super) fn lacks(parent: &dyn TriggerKind, option: &'static str) -> TriggerError {
        let name = parent.spec().name;
        TriggerError::new(match option {
            "timezone" => {
                "`and` and `or` have no time zone of their own; give it to the triggers inside"
                    .to_owned()
            }
            _ => format!("`{name}` has no {option} of its own; give it to the triggers inside"),
        })
        .in_field(option)
    }

    pub(super) fn write_definition(&self, text: &mut String) {
        text.push('(');
        for (index, child) in self.0.iter().enumerate() {
            if index > 0 {
                text.push_str("; ");
            }
            text.push_str(&child.definition_text());
        }
        text.push(')');
    }

    pub(super) fn write(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(")?;
        for (index, child) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{child}")?;
        }
        f.write_str(")")
    }

    /// Describes them, after some introductory words.
    pub(super) fn describe(&self, lead: &str) -> String {
        if let [only] = &*self.0 {
            return only.describe();
        }
        let parts: Vec<_> = self
            .0
            .iter()
            .map(|child| match child.kind_of().children() {
                [_, _, ..] => format!("({})", child.describe()),
                _ => child.describe(),
            })
            .collect();
        format!("{lead}: {}", parts.join("; "))
    }
}

fn count(trigger: &Trigger) -> usize {
    match trigger.kind_of().children() {
        [] => 1,
        children => children.iter().map(count).sum(),
    }
}

fn depth(trigger: &Trigger) -> usize {
    match trigger.kind_of().children() {
        [] => 0,
        children => 1 + children.iter().map(depth).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use crate::trigger::Trigger;

    #[test]
    fn triggers_inside_count() {
        let ten = format!("or({})", ["@daily"; 10].join(";"));
        assert!(
            format!("or({})", [ten.as_str(); 10].join(";"))
                .parse::<Trigger>()
                .is_ok()
        );
        assert!(
            format!("or({})", [ten.as_str(); 11].join(";"))
                .parse::<Trigger>()
                .is_err()
        );
    }
}
