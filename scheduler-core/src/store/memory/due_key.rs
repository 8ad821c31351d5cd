//! The sort key of a due job: its due time and its slot, packed into one number. A heap compares its entries often,
//! and comparing two numbers in sequence takes three times as long.

use super::slot::Slot;

/// See the module documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DueKey(i128);

impl DueKey {
    /// Packs an instant in microseconds and a slot.
    #[inline]
    pub(super) fn new(at: i64, slot: Slot) -> Self {
        Self((i128::from(at) << Slot::BITS) | i128::from(slot))
    }

    #[inline]
    pub(super) fn at(self) -> i64 {
        i64::try_from(self.0 >> Slot::BITS).unwrap_or(i64::MAX)
    }

    #[inline]
    pub(super) fn slot(self) -> Slot {
        Slot::try_from(self.0 & i128::from(Slot::MAX)).unwrap_or(Slot::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_instant_and_then_by_slot() {
        let ends = [i64::MIN, -1, 0, 1, i64::MAX];
        let all = ends.map(|at| [0, 1, Slot::MAX].map(|slot| (at, slot)));
        let all = all.as_flattened();
        let keys: Vec<_> = all
            .iter()
            .map(|(at, slot)| DueKey::new(*at, *slot))
            .collect();
        assert!(keys.is_sorted_by(|one, next| one < next));
        let parts: Vec<_> = keys.iter().map(|key| (key.at(), key.slot())).collect();
        assert_eq!(parts, all);
    }
}
