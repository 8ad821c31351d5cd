//! The instant from which due jobs are searched for.
//!
//! Each fire leaves an entry behind at the left end of the index of due jobs. As long as any transaction in the same
//! database stays open (a dump, a forgotten shell), PostgreSQL cannot remove these entries, and a search from the
//! left walks through all of them. So a search begins where the last one found the first job. It would miss a job
//! that becomes due *before* that bound. A job that was edited here, or on another node with a notification, lowers
//! or clears the bound at once; all others (a job that was changed without a notification, a late commit) are found
//! by a full search, at least every [`FULL_LOOK_EVERY`] of the store's time.

use std::sync::{Mutex, MutexGuard};

use scheduler_core::__private::lock;

use crate::backend::Wanted;

/// How long a bound is valid, in microseconds.
const FULL_LOOK_EVERY: i64 = 10_000_000;

/// How long it is valid in the search for the next due job, which follows claims and holds no locks: this search
/// becomes a full one before a claim's search has to, so there is one full search instead of two.
const FULL_LOOK_AHEAD_EVERY: i64 = 9_000_000;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct DueFloor(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// How often the bound was lowered or cleared: the result of a search that began before a change is discarded.
    changes: u64,
}

/// The result of the searches for certain jobs.
#[derive(Debug)]
struct Known {
    /// No such job is due before this instant.
    from: i64,
    /// When the last search from the left end took place.
    looked_at: i64,
    tasks: Vec<String>,
    executors: Vec<String>,
    skipped: Vec<String>,
}

/// A search that is about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Where it begins: `i64::MIN` for a full search.
    pub(crate) from: i64,
    changes: u64,
}

impl Look {
    fn is_full(self) -> bool {
        self.from == i64::MIN
    }
}

impl Known {
    fn of(from: i64, looked_at: i64, wanted: &Wanted<'_>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            from,
            looked_at,
            tasks: owned(wanted.tasks),
            executors: owned(wanted.executors),
            skipped: wanted.skipped.to_vec(),
        }
    }

    /// Returns `true` if all wanted jobs were searched for.
    fn covers(&self, wanted: &Wanted<'_>) -> bool {
        let has = |known: &[String], names: &[&str]| {
            names
                .iter()
                .all(|name| known.iter().any(|known| known == name))
        };
        has(&self.tasks, wanted.tasks)
            && has(&self.executors, wanted.executors)
            && self.skipped.iter().all(|id| wanted.skipped.contains(id))
    }

    /// Returns `true` if exactly the wanted jobs were searched for.
    fn is_of(&self, wanted: &Wanted<'_>) -> bool {
        self.covers(wanted)
            && self.tasks.len() == wanted.tasks.len()
            && self.executors.len() == wanted.executors.len()
            && self.skipped.len() == wanted.skipped.len()
    }
}

impl DueFloor {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Returns where a search for due jobs to claim begins at the instant `now` of the store's time.
    pub(crate) fn look(&self, wanted: &Wanted<'_>, now: i64) -> Look {
        self.look_every(FULL_LOOK_EVERY, wanted, now)
    }

    /// Returns where the search for the next due job begins.
    pub(crate) fn look_ahead(&self, wanted: &Wanted<'_>, now: i64) -> Look {
        self.look_every(FULL_LOOK_AHEAD_EVERY, wanted, now)
    }

    fn look_every(&self, interval: i64, wanted: &Wanted<'_>, now: i64) -> Look {
        let state = self.lock();
        let known = state.known.as_ref().filter(|known| {
            let age = now.saturating_sub(known.looked_at);
            (0..interval).contains(&age) && known.covers(wanted)
        });
        Look {
            from: known.map_or(i64::MIN, |known| known.from),
            changes: state.changes,
        }
    }

    /// Records the earliest job that a search has found, if any.
    pub(crate) fn saw(&self, look: Look, wanted: &Wanted<'_>, now: i64, earliest: Option<i64>) {
        let mut state = self.lock();
        if state.changes != look.changes {
            return;
        }
        // At most `now`: jobs that are added for later are found without a notification.
        let from = earliest.map_or(now, |earliest| earliest.min(now));
        if look.is_full() {
            state.known = Some(Known::of(from, now, wanted));
        } else if let Some(known) = state.known.as_mut().filter(|known| known.is_of(wanted)) {
            // A search for some of the jobs says nothing about the others.
            known.from = known.from.max(from);
        }
    }

    /// Records that a job was made due at this instant.
    #[cfg(feature = "postgres")]
    pub(crate) fn lower(&self, due: i64) {
        let mut state = self.lock();
        state.changes += 1;
        if let Some(known) = &mut state.known {
            known.from = known.from.min(due);
        }
    }

    /// Makes the next search a full one.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.known = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const ALL: Wanted<'static> = Wanted {
        tasks: &["a", "b"],
        executors: &["default", "sync"],
        skipped: &[],
    };

    fn seen(now: i64, earliest: Option<i64>) -> DueFloor {
        let floor = DueFloor::default();
        let look = floor.look(&ALL, now);
        assert!(look.is_full(), "nothing is known yet");
        floor.saw(look, &ALL, now, earliest);
        floor
    }

    #[test]
    fn a_search_begins_where_the_last_one_found_the_first_job() {
        let floor = seen(100 * SECOND, Some(98 * SECOND));
        let look = floor.look(&ALL, 101 * SECOND);
        assert_eq!(look.from, 98 * SECOND);
        floor.saw(look, &ALL, 101 * SECOND, Some(150 * SECOND));
        let look = floor.look(&ALL, 102 * SECOND);
        assert_eq!(look.from, 101 * SECOND, "not beyond now");
        floor.saw(look, &ALL, 102 * SECOND, None);
        assert_eq!(floor.look(&ALL, 102 * SECOND).from, 102 * SECOND);
    }

    #[test]
    fn a_full_look_comes_every_ten_seconds_and_when_the_clock_was_set_back() {
        let floor = seen(100 * SECOND, None);
        for at in [101, 105, 109] {
            let look = floor.look(&ALL, at * SECOND);
            assert!(!look.is_full(), "{at}");
            floor.saw(look, &ALL, at * SECOND, None);
        }
        assert!(floor.look(&ALL, 110 * SECOND).is_full());
        assert!(floor.look(&ALL, 99 * SECOND).is_full());
    }

    #[test]
    fn the_search_for_the_next_due_job_makes_the_full_look_before_a_claim_does() {
        let floor = seen(100 * SECOND, None);
        assert!(!floor.look_ahead(&ALL, 108 * SECOND).is_full());
        let look = floor.look_ahead(&ALL, 109 * SECOND);
        assert!(look.is_full() && !floor.look(&ALL, 109 * SECOND).is_full());
        floor.saw(look, &ALL, 109 * SECOND, Some(50 * SECOND));
        assert_eq!(floor.look(&ALL, 118 * SECOND).from, 50 * SECOND);
    }

    #[test]
    fn other_jobs_than_those_that_were_looked_for_need_a_full_look() {
        let floor = seen(0, None);
        let fewer = Wanted {
            executors: &["sync"],
            ..ALL
        };
        let more = Wanted {
            tasks: &["a", "b", "c"],
            ..ALL
        };
        assert!(!floor.look(&fewer, 1).is_full());
        assert!(floor.look(&more, 1).is_full());
        let look = floor.look(&fewer, SECOND);
        floor.saw(look, &fewer, SECOND, None);
        assert_eq!(
            floor.look(&ALL, SECOND).from,
            0,
            "of the others nothing was seen"
        );

        let skipped = ["odd".to_owned()];
        let but_one = Wanted {
            skipped: &skipped,
            ..ALL
        };
        assert!(!floor.look(&but_one, 1).is_full());
        floor.clear();
        floor.saw(floor.look(&but_one, 1), &but_one, 1, None);
        assert!(
            floor.look(&ALL, 1).is_full(),
            "the skipped one is looked at again"
        );
    }

    #[test]
    fn a_change_counts_also_against_a_search_that_has_begun() {
        let floor = seen(100 * SECOND, None);
        let look = floor.look(&ALL, 101 * SECOND);
        floor.lower(50 * SECOND);
        floor.saw(look, &ALL, 101 * SECOND, None);
        assert_eq!(floor.look(&ALL, 102 * SECOND).from, 50 * SECOND);
        let look = floor.look(&ALL, 102 * SECOND);
        floor.clear();
        floor.saw(look, &ALL, 102 * SECOND, None);
        assert!(floor.look(&ALL, 103 * SECOND).is_full());
    }
}
