//! The invariants of [`Table`], asserted in debug builds at the end of every call of the store.
//!
//! The cost is proportional to what the call has changed: [`Counts`] lists those jobs and runs, and counts the
//! entries of each job in collections that cannot be searched by job. Release builds contain none of this.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use super::due_key::DueKey;
use super::row::Row;
use super::slot::Slot;
use super::table::{QueuedRun, Table};
use crate::id::{JobId, RunId};
use crate::node::NodeId;
use crate::run::RunKind;

/// The locked table, which is checked before it is unlocked.
pub(super) struct Checked<'a>(MutexGuard<'a, Table>);

impl<'a> Checked<'a> {
    pub(super) fn new(table: MutexGuard<'a, Table>) -> Self {
        Self(table)
    }
}

impl Deref for Checked<'_> {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.0
    }
}

impl DerefMut for Checked<'_> {
    fn deref_mut(&mut self) -> &mut Table {
        &mut self.0
    }
}

impl Drop for Checked<'_> {
    fn drop(&mut self) {
        // A second panic would abort the process and hide the first one.
        if !std::thread::panicking() {
            self.0.assert_changed();
        }
    }
}

/// The number of entries that a job has in each collection of a table, and what the current call has changed.
#[derive(Debug, Default)]
pub(super) struct Counts {
    entries: Entries,
    changed: Vec<Slot>,
    changed_runs: Vec<(NodeId, RunId)>,
    removed: Vec<JobId>,
}

#[derive(Debug, Default, PartialEq)]
struct Entries {
    /// In `due`.
    due: HashMap<DueKey, u32>,
    /// In `parked` and `unclaimable`.
    aside: HashMap<Slot, u32>,
    /// In `promotable`.
    promotable: HashMap<Slot, u32>,
    /// In `live`.
    live: HashMap<Slot, u32>,
}

fn add<K: Hash + Eq>(counts: &mut HashMap<K, u32>, key: K) {
    *counts.entry(key).or_default() += 1;
}

fn remove<K: Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Counts {
    pub(super) fn note_changed(&mut self, slot: Slot) {
        self.changed.push(slot);
    }

    pub(super) fn note_removed(&mut self, slot: Slot, job: &JobId) {
        self.changed.push(slot);
        self.removed.push(job.clone());
    }

    pub(super) fn note_changed_run(&mut self, run: (NodeId, RunId)) {
        self.changed_runs.push(run);
    }

    pub(super) fn add_due(&mut self, key: DueKey) {
        add(&mut self.entries.due, key);
    }

    pub(super) fn remove_due(&mut self, key: DueKey) {
        remove(&mut self.entries.due, &key);
        self.changed.push(key.slot());
    }

    /// Counts all entries of `due` again.
    pub(super) fn set_due(&mut self, entries: &[Reverse<DueKey>]) {
        let removed = std::mem::take(&mut self.entries.due);
        self.changed.extend(removed.into_keys().map(DueKey::slot));
        for Reverse(key) in entries {
            self.add_due(*key);
        }
    }

    pub(super) fn add_aside(&mut self, slot: Slot) {
        add(&mut self.entries.aside, slot);
    }

    pub(super) fn remove_aside(&mut self, slot: Slot) {
        remove(&mut self.entries.aside, &slot);
        self.changed.push(slot);
    }

    pub(super) fn add_promotable(&mut self, slot: Slot) {
        add(&mut self.entries.promotable, slot);
    }

    pub(super) fn clear_promotable(&mut self) {
        let removed = std::mem::take(&mut self.entries.promotable);
        self.changed.extend(removed.into_keys());
    }

    pub(super) fn add_live(&mut self, slot: Slot, run: (NodeId, RunId)) {
        add(&mut self.entries.live, slot);
        self.changed.push(slot);
        self.changed_runs.push(run);
    }

    pub(super) fn remove_live(&mut self, slot: Option<Slot>, run: (NodeId, RunId)) {
        if let Some(slot) = slot {
            remove(&mut self.entries.live, &slot);
            self.changed.push(slot);
        }
        self.changed_runs.push(run);
    }
}

impl Table {
    /// Asserts the invariants of everything that changed since the last call.
    fn assert_changed(&mut self) {
        let mut changed = std::mem::take(&mut self.counts.changed);
        changed.sort_unstable();
        changed.dedup();
        for slot in changed {
            self.assert_slot(slot);
        }
        for run in std::mem::take(&mut self.counts.changed_runs) {
            self.assert_run(run);
        }
        for job in std::mem::take(&mut self.counts.removed) {
            assert!(
                self.slot(job.as_str()).is_some() || !self.rewound.contains_key(&job),
                "job `{job}` was removed, and is still in `rewound`"
            );
        }
        assert!(
            self.crowded.is_empty(),
            "jobs of a claim that has ended are still to have their oldest run cancelled"
        );
    }

    fn assert_slot(&self, slot: Slot) {
        let entries = &self.counts.entries;
        let live = entries.live.get(&slot).copied().unwrap_or_default();
        let queue = self.queued.get(&slot);
        let Some(row) = self.row(slot) else {
            assert!(
                queue.is_none() && live == 0,
                "slot {slot} has no job, {live} live runs and the queue {queue:?}"
            );
            return;
        };
        let id = &row.id;
        let found = self.slot(id.as_str());
        assert!(
            found == Some(slot),
            "job `{id}` has slot {slot}, and its id names {found:?}"
        );
        if let Some(at) = row.next_run_time() {
            assert!(
                entries.due.contains_key(&DueKey::new(at, slot))
                    || entries.aside.contains_key(&slot),
                "job `{id}` is due at {at}, and no claim would find it: it is not in `due`, `parked` or `unclaimable`"
            );
        }
        let counted = row.occupancy;
        assert!(
            counted.live == live,
            "job `{id}` counts {} live runs, and has {live}",
            counted.live
        );
        let queued = queue.map_or(0, std::collections::VecDeque::len);
        assert!(
            counted.queued as usize == queued,
            "job `{id}` counts {} queued runs, and has {queued}",
            counted.queued
        );
        let Some(queue) = queue else {
            return;
        };
        assert!(!queue.is_empty(), "job `{id}` keeps a queue that is empty");
        let ids = queue.iter().map(|run| run.run_id);
        assert!(
            ids.is_sorted_by(|a, b| a < b),
            "job `{id}` has a queue that is not in the order of its run ids: {queue:?}"
        );
        assert!(
            entries.promotable.contains_key(&slot) || !queue.iter().any(|run| may_start(row, run)),
            "job `{id}` has a queued run that may start, and no claim would find it: it is not in `promotable`"
        );
    }

    fn assert_run(&self, (node, id): (NodeId, RunId)) {
        let run = self.live.get(&id);
        let is_held = run.is_some_and(|run| run.node == node);
        assert!(
            is_held || !self.asked.contains(&(node, id)),
            "run {id} is to be cancelled on node {node:?}, which does not hold it"
        );
        let Some(run) = run else {
            return;
        };
        let job = &run.job_id;
        if let Some(slot) = run.slot {
            let row = self.row(slot).map(|row| &row.id);
            assert!(
                row == Some(job),
                "run {id} of job `{job}` names slot {slot}, which has {row:?}"
            );
        } else {
            let orphans = self.orphans.get(job);
            assert!(
                orphans.is_some_and(|orphans| orphans.contains(&id)),
                "run {id} of job `{job}`, which was removed, is not in `orphans`: a new job of this id would not count it"
            );
        }
    }
}

/// Returns `true` if only time and capacity can keep a queued run from starting.
fn may_start(row: &Row, run: &QueuedRun) -> bool {
    let is_held = row.is_paused() && run.kind == RunKind::Scheduled && run.tried.is_none();
    row.occupancy.live < row.policies.max_instances && !is_held
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};
    use std::sync::Arc;
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;
    use scheduler_triggers::Trigger;

    use super::super::parked::Parked;
    use super::*;
    use crate::id::RunIds;
    use crate::job_record::{JobRecord, Origin};
    use crate::plan::Verdict;
    use crate::policy::{Overlap, Policies};
    use crate::run::RunState;
    use crate::store::{
        AttemptEnd, ClaimRequest, Claimable, End, Finished, ManualRequest, MemoryStore, NewJob,
    };
    use crate::task::arguments::Arguments;

    impl Table {
        /// Asserts the invariants of all jobs and runs, and that [`Counts`] has missed nothing.
        fn assert_whole(&self) {
            let mut entries = Entries::default();
            for Reverse(key) in &self.due {
                add(&mut entries.due, *key);
            }
            let parked = self.parked.values().flat_map(Parked::slots);
            let aside = parked.chain(self.unclaimable.iter().copied());
            aside.for_each(|slot| add(&mut entries.aside, slot));
            for slot in &self.promotable {
                add(&mut entries.promotable, *slot);
            }
            for slot in self.live.values().filter_map(|run| run.slot) {
                add(&mut entries.live, slot);
            }
            assert_eq!(self.counts.entries, entries);

            let vacant: BTreeSet<Slot> = self.vacant.iter().copied().collect();
            assert_eq!(vacant.len(), self.vacant.len(), "{vacant:?}");
            let slots = 0..Slot::try_from(self.rows.len()).unwrap();
            for slot in slots {
                self.assert_slot(slot);
                assert_eq!(self.row(slot).is_none(), vacant.contains(&slot), "{slot}");
            }
            for (id, run) in &self.live {
                self.assert_run((run.node, *id));
            }
            for run in &self.asked {
                self.assert_run(*run);
            }
            let orphans = self.orphans.values().flatten();
            assert!(orphans.clone().all(|run| self.live[run].slot.is_none()));
            for job in self.rewound.keys() {
                assert!(self.slot(job.as_str()).is_some(), "{job}");
            }
        }
    }

    const JOBS: [&str; 4] = ["bill", "ship", "report", "archive"];
    const TASKS: [&str; 2] = ["load", "send"];
    const EXECUTORS: [&str; 2] = ["default", "slow"];

    /// A store, and the clock of its calls.
    struct Caller {
        store: MemoryStore,
        now: DateTime<Utc>,
        run_ids: RunIds,
    }

    impl Caller {
        /// Makes one call, determined by three numbers.
        fn call(&mut self, (call, which, how): (u8, usize, u32)) {
            let (id, now) = (JOBS[which % JOBS.len()], self.now);
            let node = NodeId::new(u64::from(how % 2));
            let is = |bit: u32| how & 1 << bit != 0;
            match call {
                0 => {
                    let new = NewJob {
                        record: job(id, how, now),
                        replace_existing: is(7),
                        written: None,
                    };
                    self.store.lock().insert(vec![new], now);
                }
                1 => drop(self.store.lock().remove(id, None, now)),
                2 | 3 => {
                    let edit = |job: &mut JobRecord| {
                        match how % 4 {
                            0 => job.paused = Some("holiday".into()),
                            1 => job.paused = None,
                            2 => job.watermark = now - TimeDelta::seconds(i64::from(how % 100)),
                            _ => job.policies = policies(how).into(),
                        }
                        job.recompute_next();
                        Vec::new()
                    };
                    self.store.lock().edit(id, Box::new(edit), now);
                }
                4..=7 => self.claim(which, how),
                8..=10 => self.finish(which, how),
                11 => {
                    if let Some((run, node, _)) = self.live(which) {
                        self.store.lock().release(node, run, now);
                    }
                }
                12 => {
                    let live = self.live(which).map(|(run, ..)| run);
                    let queued = self
                        .store
                        .lock()
                        .queued
                        .values()
                        .flatten()
                        .next()
                        .map(|run| run.run_id);
                    if let Some(run) = if is(0) { live } else { queued } {
                        self.store.lock().cancel(run, now);
                    }
                }
                13 => {
                    let request = ManualRequest {
                        job: id,
                        kind: RunKind::Manual,
                        run_id: self.run_ids.next(now),
                        holder: is(1).then_some(node),
                        seen: None,
                        now,
                    };
                    self.store.lock().run_now(&request);
                }
                14 => {
                    // The clock may go back.
                    self.now += TimeDelta::seconds(i64::from(how % 60) - 10);
                    self.store.lock().repair_watermarks(self.now);
                }
                _ => drop(self.store.lock().reconcile(Vec::new(), now)),
            }
        }

        fn claim(&mut self, which: usize, how: u32) {
            let node = NodeId::new(u64::from(how % 2));
            let (now, is) = (self.now, |bit: u32| how & 1 << bit != 0);
            let tasks = TASKS.iter().enumerate();
            let claimable = Claimable {
                static_jobs: HashSet::new(),
                tasks: tasks
                    .filter(|(index, _)| is(1) || *index == which % 2)
                    .map(|(_, task)| (*task).into())
                    .collect(),
            };
            let full = |name: &str| usize::from(is(2) || name == EXECUTORS[which % 2]);
            let request = ClaimRequest {
                node,
                now,
                claimable: &claimable,
                capacity: &EXECUTORS.map(|name| (name.into(), full(name) * 2)).into(),
                limit: 1 + which % 3,
                run_ids: &self.run_ids,
            };
            self.store.lock().claim(&request);
            if is(3) {
                self.store.lock().next_due(&claimable);
            }
        }

        fn finish(&mut self, which: usize, how: u32) {
            let (now, is) = (self.now, |bit: u32| how & 1 << bit != 0);
            let Some((run_id, node, attempt)) = self.live(which) else {
                return;
            };
            let state = if is(1) {
                RunState::TimedOut
            } else {
                RunState::Succeeded
            };
            let retry = Verdict::Retry(Duration::ZERO);
            let end = End::Attempt(AttemptEnd {
                verdict: if is(1) && is(2) {
                    retry
                } else {
                    Verdict::Final(state)
                },
                started_at: now,
                finished_at: now,
                lateness: Duration::ZERO,
                error: None,
                value: None,
                body_runs: is(1) && is(3),
                state,
            });
            let end = if is(4) { End::Body } else { end };
            let finished = Finished {
                run_id,
                attempt,
                end,
            };
            self.store.lock().finish(node, finished);
        }

        /// Returns a live run, its node and its attempt.
        fn live(&self, which: usize) -> Option<(RunId, NodeId, u32)> {
            let table = self.store.lock();
            let mut live: Vec<_> = table.live.iter().collect();
            live.sort_unstable_by_key(|(id, _)| **id);
            let (id, run) = live.get(which % live.len().max(1))?;
            Some((**id, run.node, run.attempt))
        }
    }

    fn policies(how: u32) -> Policies {
        Policies {
            executor: EXECUTORS[(how >> 2) as usize % 2].into(),
            max_instances: 1 + (how >> 3) % 2,
            misfire_grace_time: (how & 16 != 0).then(|| Duration::from_secs(20)),
            overlap: match (how >> 5) % 3 {
                0 => Overlap::Skip,
                1 => Overlap::Queue(2),
                _ => Overlap::CancelRunning,
            },
            ..Policies::default()
        }
    }

    fn job(id: &str, how: u32, now: DateTime<Utc>) -> JobRecord {
        let trigger = if how & 1 << 8 == 0 {
            Trigger::interval(Duration::from_secs(10)).unwrap()
        } else {
            Trigger::date(now + TimeDelta::seconds(5))
        };
        let mut job = JobRecord::new(
            JobId::new(id).unwrap(),
            TASKS[how as usize % 2].into(),
            Arguments::new(),
            trigger.resolve(now, scheduler_triggers::Zone::UTC).unwrap(),
            Arc::new(policies(how)),
            Origin::Dynamic,
            now,
        );
        job.recompute_next();
        job
    }

    /// The job's executor was full when it was due, and after the clock went back it is not due yet.
    #[test]
    fn job_whose_executor_was_full_is_still_found_after_the_clock_went_back() {
        let mut caller = Caller {
            store: MemoryStore::new(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            run_ids: RunIds::new(1),
        };
        let calls = [
            (0, 3, 312),
            (0, 4, 8),
            (14, 0, 195),
            (4, 7, 18),
            (14, 0, 300),
            (4, 2, 0),
        ];
        for call in calls {
            caller.call(call);
            caller.store.lock().assert_whole();
        }
    }

    #[test]
    fn unclaimed_job_that_is_edited_is_kept_aside_once() {
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        let (store, run_ids) = (MemoryStore::new(), RunIds::new(1));
        let new = |id, how| NewJob {
            record: job(id, how, start),
            replace_existing: false,
            written: None,
        };
        // No node has the task of the second job.
        let (crowded, unknown) = (0, 1);
        let jobs = vec![new("bill", crowded), new("ship", unknown)];
        store.lock().insert(jobs, start);
        let claimable = Claimable {
            static_jobs: HashSet::new(),
            tasks: [TASKS[0].into()].into(),
        };
        for _ in 0..5 {
            let request = ClaimRequest {
                node: NodeId::new(1),
                now: start + TimeDelta::minutes(1),
                claimable: &claimable,
                capacity: &EXECUTORS.map(|name| (name.into(), 0)).into(),
                limit: 10,
                run_ids: &run_ids,
            };
            store.lock().claim(&request);
            store.lock().next_due(&claimable);
            for id in ["bill", "ship"] {
                let edit = |job: &mut JobRecord| {
                    job.edited = !job.edited;
                    Vec::new()
                };
                store.lock().edit(id, Box::new(edit), start);
            }
        }
        let table = store.lock();
        table.assert_whole();
        let parked: Vec<Slot> = table.parked.values().flat_map(Parked::slots).collect();
        assert_eq!((parked.len(), table.unclaimable.len()), (1, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn invariants_hold_after_any_calls(
            calls in proptest::collection::vec((0_u8..16, 0_usize..12, 0_u32..512), 1..120),
            kept in 0_usize..4,
        ) {
            let mut caller = Caller {
                store: MemoryStore::new().keep_runs(kept),
                now: "2026-01-01T00:00:00Z".parse().unwrap(),
                run_ids: RunIds::new(1),
            };
            for call in calls {
                caller.call(call);
                caller.store.lock().assert_whole();
            }
        }
    }
}
