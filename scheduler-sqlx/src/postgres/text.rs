//! Values that PostgreSQL does not accept unchanged.

use std::borrow::Cow;

use crate::sqlx::types::Uuid;

/// Returns a text without NUL, which PostgreSQL cannot store: one failed run must not keep the others of its batch from
/// being recorded. The replacement does not occur in ids.
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

/// Returns the ids of runs in a fixed order: statements that lock several rows lock them in this order.
pub(super) fn uuids(ids: &[u128]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from_u128(*id)).collect();
    ids.sort_unstable();
    ids
}

/// Returns the rows of a batch in the order of a key, for the same reason.
pub(super) fn sorted<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by_key(|row| key(row));
    rows
}

/// Returns one column of a batch.
pub(super) fn column<'a, T, C>(rows: &[&'a T], value: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(|row| value(row)).collect()
}
