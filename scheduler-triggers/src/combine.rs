//! Triggers made of triggers: all of them, or any.

use crate::error::TriggerError;
use crate::trigger::{Kind, Trigger};

/// How often `and` goes on to its children's next common candidate before it gives up.
pub(crate) const MAX_LEAPS: u32 = 100_000;
const MAX_CHILDREN: usize = 100;
/// Bounds the stack that a text can make the parser and the search use.
pub(crate) const MAX_DEPTH: usize = 8;

/// The first instant after `after`, and not after `until`, that every child names. Each leap goes
/// to the latest of the children's next fire times: nothing before it can be common to all.
pub(crate) fn all_next(
    children: &[Trigger],
    after: i64,
    until: i64,
    steps: &mut u32,
) -> Option<i64> {
    let mut least = after;
    for _ in 0..MAX_LEAPS {
        let mut latest = i64::MIN;
        let mut agreed = true;
        for (index, child) in children.iter().enumerate() {
            let next = child.next_micros(least, steps)?;
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

/// The first instant after `after` that any child names.
pub(crate) fn any_next(children: &[Trigger], after: i64, steps: &mut u32) -> Option<i64> {
    children
        .iter()
        .filter_map(|child| child.next_micros(after, steps))
        .min()
}

pub(crate) fn check(name: &'static str, children: &[Trigger]) -> Result<(), TriggerError> {
    if children.is_empty() {
        return Err(
            TriggerError::new(format!("`{name}` needs at least one trigger")).in_field("triggers"),
        );
    }
    if children.len() > MAX_CHILDREN {
        return Err(TriggerError::new(format!(
            "`{name}` takes up to {MAX_CHILDREN} triggers, not {}",
            children.len()
        ))
        .in_field("triggers"));
    }
    if children.iter().map(depth).max() >= Some(MAX_DEPTH) {
        return Err(TriggerError::new(format!(
            "`and` and `or` are nested more than {MAX_DEPTH} deep"
        ))
        .in_field("triggers"));
    }
    if name == "and" && children.iter().any(has_free_interval) {
        return Err(TriggerError::new(
            "an interval inside `and` must give its start, or it would share no instant with \
             the others",
        )
        .in_field("start")
        .write("start=2026-01-01T00:00:00Z"));
    }
    Ok(())
}

fn depth(trigger: &Trigger) -> usize {
    match &trigger.0 {
        Kind::And(children) | Kind::Or(children) => {
            1 + children.iter().map(depth).max().unwrap_or(0)
        }
        _ => 0,
    }
}

fn has_free_interval(trigger: &Trigger) -> bool {
    match &trigger.0 {
        Kind::Interval(interval) => interval.anchor().is_none(),
        Kind::And(children) | Kind::Or(children) => children.iter().any(has_free_interval),
        _ => false,
    }
}
