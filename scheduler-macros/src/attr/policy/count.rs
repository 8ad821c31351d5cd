//! Policies that are counts.

use scheduler_triggers::policies::CountBounds;

use crate::attr::entry::Entry;
use crate::attr::keys::Key;
use crate::errors::Errors;

/// Parses a whole number within bounds.
pub(super) fn read(key: &Key, entry: &Entry, bounds: CountBounds, errors: &Errors) -> Option<u32> {
    let count = entry.count(key, errors)?;
    if !bounds.contain(count) {
        let (reason, remedy) = bounds.refusal(count, true);
        let so = if reason.is_empty() { "" } else { ", so " };
        errors.on(
            entry.expression(key, errors)?,
            format!("`{}` is {count}{so}{reason}: {remedy}", key.name),
        );
    }
    Some(count)
}
