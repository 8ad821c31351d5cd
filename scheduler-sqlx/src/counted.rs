//! Finds where the part of a history beyond the retention begins, without counting all of it at once.
//!
//! Rows are counted in parts, in the order of their ids: on every call the new rows, and one of the older parts in
//! turn. The oldest rows are deleted first, and a row that was counted is never deleted from the middle. So only the
//! front part may have fewer rows than were counted, because another node has deleted them, and then all parts before
//! it are gone, too. Counted from the newest row, the sum is never more than there is, so never too much is deleted.

use std::collections::VecDeque;

/// The maximum number of rows that are read to count a part.
pub(crate) const PART: i64 = 10_000;

/// The counts of a part: rows with ids after `after`, at most [`PART`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All rows.
    pub(crate) rows: i64,
    /// The rows that may be deleted: runs that have ended.
    pub(crate) ended: i64,
    /// The last id, if there are rows.
    pub(crate) last: Option<u128>,
}

impl Tally {
    /// A tally of rows that are numbered from 1 and may all be deleted.
    pub(crate) fn of_all(last: Option<i64>, rows: i64) -> Self {
        Self {
            rows,
            ended: rows,
            last: last.map(|last| u128::from(last.unsigned_abs())),
        }
    }
}

/// Consecutive rows: ids in `(after, upto]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) after: u128,
    pub(crate) upto: u128,
    ended: u64,
    is_full: bool,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Oldest first.
    parts: VecDeque<Part>,
    /// The part that is counted again next.
    turn: usize,
}

impl Counted {
    /// Returns the id after which the newest rows are counted: the last part is counted again until it is full.
    pub(crate) fn newest(&self) -> u128 {
        match self.parts.back() {
            Some(part) if part.is_full => part.upto,
            Some(part) => part.after,
            None => 0,
        }
    }

    /// Records the count of the newest rows. Returns `true` if more remain to be counted.
    pub(crate) fn enter(&mut self, after: u128, tally: Tally) -> bool {
        self.parts.pop_back_if(|part| part.after >= after);
        let Some(upto) = tally.last else {
            return false;
        };
        let is_full = tally.rows >= PART;
        self.parts.push_back(Part {
            after,
            upto,
            ended: tally.ended.unsigned_abs(),
            is_full,
        });
        is_full
    }

    /// Returns the full part that is next to be counted again: runs in it may have ended since.
    pub(crate) fn in_turn(&mut self) -> Option<Part> {
        if self.turn >= self.parts.len() {
            self.turn = 0;
        }
        let part = self.parts.get(self.turn).copied();
        self.turn += 1;
        part.filter(|part| part.is_full)
    }

    /// Corrects the count of a part.
    pub(crate) fn correct(&mut self, part: Part, tally: Tally) {
        let same = |known: &&mut Part| known.upto == part.upto;
        if let Some(known) = self.parts.iter_mut().find(same) {
            known.ended = tally.ended.unsigned_abs();
        }
    }

    /// Returns the part with the newest row that is to be deleted, and how many newer rows of that part are kept;
    /// `None` if there are no more rows than are kept.
    pub(crate) fn beyond(&self, keep: u64) -> Option<(Part, u64)> {
        let mut newer = 0_u64;
        for part in self.parts.iter().rev() {
            if newer.saturating_add(part.ended) > keep {
                return Some((*part, keep - newer));
            }
            newer += part.ended;
        }
        None
    }

    /// Records that all rows up to an id are deleted, with `left` newer ones remaining in its part.
    pub(crate) fn forget(&mut self, upto: u128, left: u64) {
        while self.parts.pop_front_if(|part| part.upto <= upto).is_some() {}
        if let Some(part) = self.parts.front_mut().filter(|part| part.after < upto) {
            (part.after, part.ended) = (upto, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: i64, ended: i64, last: u128) -> Tally {
        Tally {
            rows,
            ended,
            last: Some(last),
        }
    }

    fn three_parts() -> Counted {
        let mut counted = Counted::default();
        assert!(counted.enter(0, tally(PART, PART, 100)));
        assert!(counted.enter(counted.newest(), tally(PART, PART - 5, 200)));
        assert!(!counted.enter(counted.newest(), tally(30, 20, 300)));
        counted
    }

    #[test]
    fn the_last_part_is_counted_again_until_it_is_full() {
        let mut counted = three_parts();
        assert_eq!(counted.newest(), 200);
        assert!(!counted.enter(200, tally(40, 40, 350)));
        assert_eq!(
            counted.beyond(40).map(|(part, kept)| (part.upto, kept)),
            Some((200, 0))
        );
        assert!(counted.enter(200, tally(PART, PART, 400)));
        assert_eq!(counted.newest(), 400);
    }

    #[test]
    fn what_is_beyond_is_found_from_the_newest_on() {
        let counted = three_parts();
        let found = |keep| counted.beyond(keep).map(|(part, kept)| (part.after, kept));
        let full = PART.unsigned_abs();
        assert_eq!(found(0), Some((200, 0)));
        assert_eq!(found(19), Some((200, 19)));
        assert_eq!(found(20), Some((100, 0)));
        assert_eq!(found(full + 14), Some((100, full - 6)));
        assert_eq!(found(full + 15), Some((0, 0)));
        assert_eq!(found(2 * full + 15), None);
    }

    #[test]
    fn a_part_that_another_node_has_forgotten_counts_no_more() {
        let mut counted = three_parts();
        let (part, _) = counted.beyond(2 * PART.unsigned_abs()).unwrap();
        counted.correct(
            part,
            Tally {
                rows: 0,
                ended: 0,
                last: None,
            },
        );
        assert_eq!(counted.beyond(PART.unsigned_abs() + 15), None);
    }

    #[test]
    fn what_was_forgotten_is_not_counted_any_longer() {
        let mut counted = three_parts();
        counted.forget(150, 7);
        assert_eq!(
            counted.beyond(26).map(|(part, kept)| (part.after, kept)),
            Some((150, 6))
        );
        assert_eq!(counted.beyond(27), None);
        counted.forget(300, 0);
        assert_eq!((counted.beyond(0), counted.newest()), (None, 0));
    }

    #[test]
    fn every_full_part_has_its_turn() {
        let mut counted = three_parts();
        let turns: Vec<_> = (0..4)
            .map(|_| counted.in_turn().map(|part| part.upto))
            .collect();
        assert_eq!(turns, [Some(100), Some(200), None, Some(100)]);
    }
}
