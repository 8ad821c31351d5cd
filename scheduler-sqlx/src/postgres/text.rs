//! What PostgreSQL does not take as it is.

use std::borrow::Cow;

use crate::sqlx::types::Uuid;

/// A text without NUL, which no text of PostgreSQL can hold: one failed run must not keep the others
/// of its batch from being recorded. What stands in for it is in no id.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{1}"))
    } else {
        Cow::Borrowed(text)
    }
}

pub(super) fn texts<'a>(ids: &[&'a str]) -> Vec<Cow<'a, str>> {
    ids.iter().map(|id| text(id)).collect()
}

/// Ids of runs, in one order: whoever locks several rows locks them in it.
pub(super) fn uuids(ids: &[u128]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from_u128(*id)).collect();
    ids.sort_unstable();
    ids
}

/// The rows of a batch in the order of that key, for the same reason.
pub(super) fn sorted<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by_key(|row| key(row));
    rows
}

/// One column of a batch.
pub(super) fn column<'a, T, C>(rows: &[&'a T], value: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(|row| value(row)).collect()
}
