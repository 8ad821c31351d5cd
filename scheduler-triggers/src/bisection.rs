//! Finds the latest fire time of a window without listing those before it.

use crate::effort::Exhausted;

/// Enough for a range of 64 bits; an inconsistent custom trigger would otherwise search forever.
const MAX_HALVINGS: u32 = 64;

/// Returns the latest fire time after `after` and not after `until`, given a `next_up_to` that returns the first one
/// after an instant. Also returns `None` if the budget is used up.
///
/// Gallops back from the end in growing strides until there is a fire time, then halves the stretch between the latest
/// known fire time and the point after which there is none.
pub(crate) fn bisect(
    after: i64,
    until: i64,
    next_up_to: &mut dyn FnMut(i64) -> Result<Option<i64>, Exhausted>,
) -> Option<i64> {
    let (mut stride, mut silent_from) = (1_000_000_i64, until);
    let mut latest = loop {
        let from = until.saturating_sub(stride).max(after);
        if let Some(next) = next_up_to(from).ok()? {
            break next;
        }
        silent_from = from;
        if from <= after {
            return None;
        }
        stride = stride.saturating_mul(4);
    };
    for _ in 0..MAX_HALVINGS {
        let Some(next) = next_up_to(latest).ok()? else {
            break;
        };
        latest = next;
        let middle = latest + (silent_from - latest) / 2;
        match next_up_to(middle).ok()? {
            Some(next) => latest = next,
            None => silent_from = middle,
        }
    }
    Some(latest)
}
