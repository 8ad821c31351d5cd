//! A unit that is separate from its number: `fixedRate = 5, timeUnit = TimeUnit::MINUTES`.

use scheduler_triggers::policies::{POLICIES, PolicyKind};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::entry::{Entries, Entry, Value};
use super::trigger_words;
use super::written::{self, snake};
use crate::errors::Errors;

/// The reason why there is no such key.
pub(super) const NOTE: &str = "a duration has its unit in its text, as in `interval = \"30s\"`";

/// Returns `true` for an entry that is a unit.
pub(super) fn is_unit(entry: &Entry) -> bool {
    let units = ["unit", "units", "time_unit", "interval_unit"];
    units.contains(&snake(&entry.name()).as_str())
}

/// Takes the unit out of a list, and joins it with its number. Returns `true` if that was impossible and reported: a
/// number without its unit has no meaning.
pub(super) fn take(list: &mut Entries, errors: &Errors) -> bool {
    let all = &list.keyed;
    let unit = all.iter().position(is_unit);
    let numbers: Vec<usize> = (0..all.len()).filter(|one| is_number(&all[*one])).collect();
    let (Some(unit), Some(first)) = (unit, numbers.first().copied()) else {
        return false;
    };
    let joined = match numbers.as_slice() {
        [_] => joined(&all[first], &all[unit]),
        _ => None,
    };
    let Some(text) = joined else {
        errors.on(&all[unit].key, NOTE);
        let mut index = 0;
        list.keyed.retain(|_| {
            index += 1;
            index - 1 != unit && !numbers.contains(&(index - 1))
        });
        return true;
    };
    let (name, key) = (all[first].name(), all[unit].name());
    if is_key(&name) {
        errors.on(
            &all[unit].key,
            format!("a duration has its unit in its text, so there is no `{key}`: write `{name} = {:?}`", text.value()),
        );
    }
    list.keyed[first].value = Value::Expr(Expr::Lit(ExprLit {
        attrs: Vec::new(),
        lit: Lit::Str(text),
    }));
    list.keyed.remove(unit);
    false
}

/// Returns `true` for a number that is a duration without a unit.
fn is_number(entry: &Entry) -> bool {
    let is_duration = is_key(&entry.name()) || trigger_words::has_no_unit(&entry.name());
    is_duration && entry.given().and_then(written::integer).is_some()
}

/// Returns `true` for keys whose value is a duration.
fn is_key(name: &str) -> bool {
    let mut policies = POLICIES.iter();
    let is_duration = |kind| {
        matches!(
            kind,
            PolicyKind::Limit { .. } | PolicyKind::Duration | PolicyKind::Backoff
        )
    };
    name == "interval" || policies.any(|policy| policy.name == name && is_duration(policy.kind))
}

fn joined(number: &Entry, unit: &Entry) -> Option<LitStr> {
    let value = number.given()?;
    let unit = written::unit(unit.given()?)?;
    let text = written::duration(value, unit)?;
    Some(LitStr::new(&text, value.span()))
}
