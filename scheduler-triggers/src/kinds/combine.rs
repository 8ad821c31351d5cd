//! Triggers made of triggers: all of them, or any.

use crate::effort::Effort;
use crate::error::TriggerError;
use crate::trigger::{Kind, Trigger};

/// Triggers in one, at whatever depth: each may cost as many leaps.
const MAX_TRIGGERS: usize = 100;
/// Bounds the stack that a text can make the parser and the search use.
pub(crate) const MAX_DEPTH: usize = 8;

/// The first instant after `after`, and not after `until`, that every child names. Each leap goes
/// to the latest of the children's next fire times: nothing before it can be common to all.
pub(crate) fn all_next(
    children: &[Trigger],
    after: i64,
    until: i64,
    effort: &mut Effort,
) -> Option<i64> {
    let mut least = after;
    while effort.leap() {
        let mut latest = i64::MIN;
        let mut agreed = true;
        for (index, child) in children.iter().enumerate() {
            if !effort.may_go_on() {
                return None;
            }
            let next = child.next_micros(least, effort)?;
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
///
/// One child's leaps are not held against the next, or an `and` that gives up would silence what
/// stands beside it; the costliest counts.
pub(crate) fn any_next(children: &[Trigger], after: i64, effort: &mut Effort) -> Option<i64> {
    let before = effort.leaps;
    let (mut most, mut first) = (before, None);
    for child in children {
        if !effort.may_go_on() {
            return None;
        }
        effort.leaps = before;
        let next = child.next_micros(after, effort);
        most = most.max(effort.leaps);
        first = match (first, next) {
            (Some(first), Some(next)) => Some(i64::min(first, next)),
            (first, next) => first.or(next),
        };
    }
    effort.leaps = most;
    // What the last one found may not be the first, if another was cut off.
    first.filter(|_| !effort.is_exhausted())
}

pub(crate) fn check(name: &'static str, children: &[Trigger]) -> Result<(), TriggerError> {
    if children.is_empty() {
        return Err(
            TriggerError::new(format!("`{name}` needs at least one trigger")).in_field("triggers"),
        );
    }
    let count: usize = children.iter().map(count).sum();
    if count > MAX_TRIGGERS {
        return Err(TriggerError::new(format!(
            "`{name}` takes up to {MAX_TRIGGERS} triggers, not {count}"
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

fn count(trigger: &Trigger) -> usize {
    match &trigger.0 {
        Kind::And(children) | Kind::Or(children) => children.iter().map(count).sum(),
        _ => 1,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Trigger {
        text.parse().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Two intervals that never meet.
    const NEVER: &str =
        "and(every 10ms start=2026-01-01T00:00:00.001Z; every 10ms start=2026-01-01)";

    #[test]
    fn leaps_of_one_inside_another_are_not_multiplied() {
        // The inner one finds its instant after some thousand leaps, again and again.
        let slow =
            "and(every 1001ms start=2026-01-01; every 1003ms start=2026-01-01T00:00:00.001Z)";
        let mut text = slow.to_owned();
        for start in 1..MAX_DEPTH - 1 {
            text = format!("and({text}; every 3607ms start=2026-01-01T00:00:00.00{start}Z)");
        }
        let mut effort = Effort::unlimited();
        assert_eq!(read(&text).next_micros(0, &mut effort), None);
        assert_eq!(effort.leaps, 100_000);
    }

    #[test]
    fn one_that_gives_up_does_not_silence_its_siblings() {
        let either = read(&format!("or({NEVER}; and(@daily; @hourly))"));
        let next = either.next_micros(1, &mut Effort::unlimited());
        assert_eq!(next, Some(86_400_000_000));
    }

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
