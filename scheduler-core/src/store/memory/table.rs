//! The jobs by slot and by id, ordered by when they are due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::due_key::DueKey;
use super::history::History;
use super::ids::{Batch, IdHash, Ids};
use super::parked::Parked;
use super::queued::Cleared;
use super::row::Row;
use super::slot::Slot;
use crate::id::{JobId, RunId, RunMap};
use crate::job_record::JobRecord;
use crate::node::NodeId;
use crate::panic::catch_trigger;
use crate::plan::{AfterBody, Buffers, LiveView, Occupancy, QueuedView};
use crate::reconcile::{Reconciled, StaticJob, reconcile};
use crate::revision::Revision;
use crate::run::{Attempt, RunKind};
use crate::skipped::{SkipReason, Skipped};
use crate::store::{
    AllInserted, Claimable, Edit, Edited, Inserted, JobAnswer, JobOrder, JobQuery, NewJob, admits,
    replacement, skipped_records,
};

/// A run that holds a slot.
#[derive(Debug, Clone)]
pub(super) struct LiveRun {
    pub(super) node: NodeId,
    /// `None` if the job was removed meanwhile.
    pub(super) slot: Option<Slot>,
    pub(super) job_id: JobId,
    pub(super) task: Arc<str>,
    pub(super) kind: RunKind,
    pub(super) scheduled_for: DateTime<Utc>,
    pub(super) attempt: u32,
    pub(super) started_at: DateTime<Utc>,
    pub(super) lateness: Option<std::time::Duration>,
    pub(super) earlier_attempts: Vec<Attempt>,
    /// What follows if the run is recorded as timed out while its body still runs on a thread.
    pub(super) after_body: Option<AfterBody>,
    /// The number of failed attempts.
    pub(super) failures: u32,
}

impl LiveRun {
    #[inline]
    pub(super) fn view(&self) -> LiveView {
        LiveView {
            attempt: self.attempt,
            failures: self.failures,
            after_body: self.after_body,
        }
    }

    #[inline]
    pub(super) fn set(&mut self, view: LiveView) {
        self.attempt = view.attempt;
        self.failures = view.failures;
        self.after_body = view.after_body;
    }
}

/// A run that waits for a slot.
#[derive(Debug, Clone)]
pub(super) struct QueuedRun {
    pub(super) run_id: RunId,
    pub(super) kind: RunKind,
    pub(super) scheduled_for: DateTime<Utc>,
    /// The earlier attempts, if the run was released between two attempts.
    pub(super) tried: Option<Box<Tried>>,
}

impl QueuedRun {
    /// Creates a run that was not started yet.
    pub(super) fn new(run_id: RunId, kind: RunKind, scheduled_for: DateTime<Utc>) -> Self {
        Self {
            run_id,
            kind,
            scheduled_for,
            tried: None,
        }
    }

    pub(super) fn view(&self) -> QueuedView {
        let tried = self.tried.as_deref();
        QueuedView {
            run_id: self.run_id,
            kind: self.kind,
            scheduled_for: self.scheduled_for,
            attempts: tried.map_or(0, |tried| tried.attempts),
            failures: tried.map_or(0, |tried| tried.failures),
        }
    }
}

/// The earlier attempts of a run that is queued for its next one.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    pub(super) failures: u32,
    pub(super) lateness: Option<std::time::Duration>,
    pub(super) earlier_attempts: Vec<Attempt>,
}

/// The entire contents of the store.
///
/// Invariants, which `invariants.rs` asserts after every call in debug builds (`vacant` only in its test):
/// - `ids` has the slot of every job, and `vacant` every slot without one.
/// - Every job that is neither paused nor ended has an entry in `due` for its current `next.at`, or one in `parked`
///   or `unclaimable`. An entry that does not agree with its job is stale and skipped.
/// - `occupancy` counts the entries of `live` and `queued` of its slot. No queue is empty, and each is ordered by run
///   id.
/// - A job with a queued run that may start is in `promotable`. No run may start while the job has its maximum number
///   of live runs, and a scheduled run that was not started before may not start while the job is paused.
/// - A live run names the slot of its job; without one it is in `orphans`.
/// - `asked` contains live runs and their nodes, `rewound` contains jobs that exist, and `crowded` is empty.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Option<Row>>,
    pub(super) vacant: Vec<Slot>,
    ids: Ids,
    pub(super) due: BinaryHeap<Reverse<DueKey>>,
    /// Due jobs whose executor was full, by executor name.
    pub(super) parked: HashMap<Arc<str>, Parked>,
    /// Due jobs that none of the nodes so far could run.
    pub(super) unclaimable: BTreeSet<Slot>,
    pub(super) live: RunMap<LiveRun>,
    /// Live runs whose cancellation was requested. Their nodes receive them until the runs have ended.
    pub(super) asked: BTreeSet<(NodeId, RunId)>,
    /// The previous values of watermarks that were set back. In between, a fire time may come again.
    pub(super) rewound: HashMap<JobId, DateTime<Utc>>,
    /// Live runs of jobs that were removed.
    pub(super) orphans: HashMap<JobId, Vec<RunId>>,
    pub(super) queued: BTreeMap<Slot, VecDeque<QueuedRun>>,
    /// Jobs with runs in `queued` that may start. Some are in here twice, and some needlessly.
    pub(super) promotable: Vec<Slot>,
    /// Jobs of the current claim whose oldest run is to be cancelled.
    pub(super) crowded: Vec<Slot>,
    /// Jobs whose trigger has ended, in that order. The oldest are removed with the history.
    ended: VecDeque<JobId>,
    pub(super) history: History,
    pub(super) claim_buffers: Buffers,
    #[cfg(debug_assertions)]
    pub(super) counts: super::invariants::Counts,
}

impl Table {
    pub(super) fn slot(&self, id: &str) -> Option<Slot> {
        self.ids.find(&self.rows, id, self.ids.hash(id))
    }

    pub(super) fn row(&self, slot: Slot) -> Option<&Row> {
        self.rows.get(slot as usize)?.as_ref()
    }

    pub(super) fn row_mut(&mut self, slot: Slot) -> Option<&mut Row> {
        #[cfg(debug_assertions)]
        self.counts.note_changed(slot);
        self.rows.get_mut(slot as usize)?.as_mut()
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }

    pub(super) fn get(&self, id: &str) -> Option<JobRecord> {
        self.row(self.slot(id)?).map(Row::job)
    }

    pub(super) fn list(&self, query: &JobQuery) -> Vec<JobRecord> {
        match &query.order {
            JobOrder::Id { after } => {
                let is_after = |row: &&Row| after.as_ref().is_none_or(|after| row.id > *after);
                let rows = self.rows().filter(is_after);
                let mut page: Vec<&Row> = rows.filter(|row| row.is_listed(query)).collect();
                smallest(&mut page, query.limit, |a, b| a.id.cmp(&b.id));
                page.into_iter().map(Row::job).collect()
            }
            JobOrder::NextRun => {
                let mut page: Vec<_> = self
                    .rows()
                    .filter_map(|row| Some((row.next_run_time()?, row)))
                    .collect();
                smallest(&mut page, query.limit, |a, b| {
                    (a.0, &a.1.id).cmp(&(b.0, &b.1.id))
                });
                page.into_iter().map(|(_, row)| row.job()).collect()
            }
        }
    }

    pub(super) fn insert(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> Inserted {
        let id_at = |index: usize| jobs[index].record.id.as_str();
        let ids = (0..jobs.len()).map(id_at);
        let hashes: Vec<IdHash> = ids.map(|id| self.ids.hash(id)).collect();
        let mut batch = Batch::with_capacity(jobs.len());
        for (index, new) in jobs.iter().enumerate() {
            if !batch.is_new(index, &hashes, id_at) && !new.replace_existing {
                return Inserted::Exists(new.record.id.clone());
            }
            let slot = self.ids.find(&self.rows, id_at(index), hashes[index]);
            let existing = slot.and_then(|slot| self.row(slot));
            let is_open = existing.is_some_and(|row| row.occupancy != Occupancy::default());
            if let Some(refused) = admits(existing.map(Row::job).as_ref(), is_open, new) {
                return refused;
            }
        }
        let mut inserted = AllInserted::default();
        for (new, hash) in jobs.into_iter().zip(hashes) {
            match self.ids.find(&self.rows, new.record.id.as_str(), hash) {
                Some(slot) => {
                    self.replace(slot, &new, now, &mut inserted);
                }
                None => self.put(new.record, hash),
            }
        }
        self.history.record_skipped(&inserted.skipped);
        Inserted::All(inserted)
    }

    /// Replaces a job. Live runs of the old job keep their slots.
    fn replace(
        &mut self,
        slot: Slot,
        new: &NewJob,
        now: DateTime<Utc>,
        inserted: &mut AllInserted,
    ) {
        let Some(old) = self.row(slot).map(Row::job) else {
            return;
        };
        let replacement = replacement(&old, new, now);
        if !replacement.carries_on {
            let cleared = self.clear_queue(slot, SkipReason::Superseded, now);
            inserted.skipped.extend(cleared.skipped);
            inserted.cancelled.extend(cleared.cancelled);
        }
        if old.is_finished() {
            self.ended.retain(|ended| *ended != old.id);
        }
        let job = replacement.record;
        self.note_rewound(&job, old.watermark);
        if let Some(row) = self.row_mut(slot) {
            row.set_job(job.clone());
        }
        let skipped = skipped_records(&old.id, replacement.skipped, now);
        inserted.skipped.extend(skipped);
        self.arm(slot);
        if replacement.carries_on {
            inserted.carried_on.push(job);
        }
    }

    /// Adds a job whose id is free.
    fn put(&mut self, job: JobRecord, hash: IdHash) {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.rows.push(None);
            // 2^32 jobs need more memory than a process has.
            Slot::try_from(self.rows.len() - 1).unwrap_or(Slot::MAX)
        });
        if let Some(at) = self.last_fire_time(&job.id, job.watermark) {
            self.rewound.insert(job.id.clone(), at);
        }
        let live = self.adopt(&job.id, slot);
        let row = Row::new(
            job,
            Occupancy {
                live,
                ..Occupancy::default()
            },
        );
        self.rows[slot as usize] = Some(row);
        #[cfg(debug_assertions)]
        self.counts.note_changed(slot);
        self.ids.insert(slot, hash);
        self.arm(slot);
    }

    /// Assigns runs that outlived the previous job with this id to the new one, because they count against its
    /// `max_instances`. Returns how many there are.
    fn adopt(&mut self, id: &JobId, slot: Slot) -> u32 {
        if self.orphans.is_empty() {
            return 0;
        }
        let mut count = 0;
        for run_id in self.orphans.remove(id).unwrap_or_default() {
            if let Some(run) = self.live.get_mut(&run_id) {
                run.slot = Some(slot);
                count += 1;
                #[cfg(debug_assertions)]
                self.counts.add_live(slot, (run.node, run_id));
            }
        }
        count
    }

    /// Adds a job to the order of due times, and to the promotable jobs if it has queued runs.
    pub(super) fn arm(&mut self, slot: Slot) {
        let Some(row) = self.row(slot) else {
            return;
        };
        let next = row.next_run_time();
        if row.occupancy.queued > 0 {
            self.set_promotable(slot);
        }
        let Some(at) = next else {
            return;
        };
        if self.due.len() > 2 * self.rows.len() + 1024 {
            self.forget_stale();
        }
        self.due.push(Reverse(DueKey::new(at, slot)));
        #[cfg(debug_assertions)]
        self.counts.add_due(DueKey::new(at, slot));
    }

    /// Records that queued runs of a job may start.
    pub(super) fn set_promotable(&mut self, slot: Slot) {
        self.promotable.push(slot);
        #[cfg(debug_assertions)]
        self.counts.add_promotable(slot);
    }

    /// Edits leave stale entries behind. This keeps their number below the number of jobs.
    fn forget_stale(&mut self) {
        let mut entries = std::mem::take(&mut self.due).into_vec();
        entries.sort_unstable();
        entries.dedup();
        entries.retain(|Reverse(key)| self.is_current(*key));
        #[cfg(debug_assertions)]
        self.counts.set_due(&entries);
        self.due = entries.into();
    }

    fn is_current(&self, key: DueKey) -> bool {
        self.row(key.slot()).and_then(Row::next_run_time) == Some(key.at())
    }

    pub(super) fn set_unclaimable(&mut self, slot: Slot) {
        // A job that was edited meanwhile is there already.
        if !self.unclaimable.insert(slot) {
            return;
        }
        #[cfg(debug_assertions)]
        self.counts.add_aside(slot);
    }

    /// Adds the jobs that another scheduler could not run and this one can.
    pub(super) fn arm_claimable(&mut self, claimable: &Claimable) {
        let is_claimable = |slot: &Slot| {
            let row = self.row(*slot);
            row.is_none_or(|row| row.is_allowed(claimable))
        };
        let slots: Vec<Slot> = self
            .unclaimable
            .iter()
            .copied()
            .filter(is_claimable)
            .collect();
        for slot in slots {
            self.unclaimable.remove(&slot);
            #[cfg(debug_assertions)]
            self.counts.remove_aside(slot);
            self.arm(slot);
        }
    }

    /// Returns the earliest entry that is not stale. The preceding claim has removed the jobs whose executor was
    /// full.
    pub(super) fn next_due(&mut self, claimable: &Claimable) -> Option<DateTime<Utc>> {
        self.arm_claimable(claimable);
        while let Some(Reverse(key)) = self.due.peek().copied() {
            let slot = key.slot();
            if self.is_current(key) {
                match self.row(slot) {
                    Some(row) if !row.is_allowed(claimable) => self.set_unclaimable(slot),
                    _ => return DateTime::from_timestamp_micros(key.at()),
                }
            }
            self.due.pop();
            #[cfg(debug_assertions)]
            self.counts.remove_due(key);
        }
        None
    }

    pub(super) fn reconcile(
        &mut self,
        jobs: Vec<StaticJob>,
        now: DateTime<Utc>,
    ) -> Vec<Reconciled> {
        // A scheduler that starts may have a task or executor that the previous one lacked.
        for slot in std::mem::take(&mut self.unclaimable) {
            #[cfg(debug_assertions)]
            self.counts.remove_aside(slot);
            self.arm(slot);
        }
        jobs.into_iter()
            .map(|definition| {
                let slot = self.slot(definition.id.as_str());
                let existing = slot.and_then(|slot| self.row(slot)).map(Row::job);
                let (job, result) = reconcile(existing.as_ref(), definition, now);
                if let Some(job) = job {
                    if let Some(slot) = slot {
                        if let Some(row) = self.row_mut(slot) {
                            row.set_job(job);
                        }
                        self.arm(slot);
                    } else {
                        let hash = self.ids.hash(job.id.as_str());
                        self.put(job, hash);
                    }
                    self.history.record_skipped(&result.skipped);
                }
                result
            })
            .collect()
    }

    pub(super) fn edit(
        &mut self,
        id: &str,
        mut edit: Edit<'_>,
        now: DateTime<Utc>,
    ) -> Option<Edited> {
        let slot = self.slot(id)?;
        let row = self.row_mut(slot)?;
        let (was_finished, watermark) = (row.is_finished(), row.watermark);
        let mut job = row.job();
        let times = edit(&mut job);
        row.set_job(job.clone());
        self.note_rewound(&job, watermark);
        let skipped: Vec<Skipped> = skipped_records(&job.id, times, now).collect();
        self.arm(slot);
        if job.is_finished() && !was_finished {
            self.ended.push_back(job.id.clone());
        }
        self.history.record_skipped(&skipped);
        Some(Edited::new(job, skipped))
    }

    /// Returns the job if it is not as a caller has seen it.
    pub(super) fn stale(&self, slot: Slot, seen: Option<Revision>) -> Option<Box<JobRecord>> {
        let job = self.row(slot).filter(|_| seen.is_some())?.job();
        (!job.is_as_seen(seen)).then(|| Box::new(job))
    }

    pub(super) fn remove(
        &mut self,
        id: &str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> JobAnswer<Edited> {
        if let Some(current) = self.slot(id).and_then(|slot| self.stale(slot, seen)) {
            return JobAnswer::Stale(current);
        }
        self.take_out(id, now)
            .map_or(JobAnswer::NoJob, JobAnswer::Done)
    }

    fn take_out(&mut self, id: &str, now: DateTime<Utc>) -> Option<Edited> {
        let slot = self.ids.remove(&self.rows, id)?;
        let Cleared {
            mut skipped,
            cancelled,
        } = self.clear_queue(slot, SkipReason::Removed, now);
        let row = self.rows.get_mut(slot as usize)?.take()?;
        #[cfg(debug_assertions)]
        self.counts.note_removed(slot, &row.id);
        if row.occupancy.live > 0 {
            let runs = self.live.iter_mut();
            for (run_id, run) in runs.filter(|(_, run)| run.slot == Some(slot)) {
                run.slot = None;
                #[cfg(debug_assertions)]
                self.counts.remove_live(Some(slot), (run.node, *run_id));
                let orphans = self.orphans.entry(run.job_id.clone()).or_default();
                orphans.push(*run_id);
            }
        }
        self.vacant.push(slot);
        let job = row.job();
        self.rewound.remove(&job.id);
        skipped.extend(skipped_records(
            &job.id,
            job.pending(now, SkipReason::Removed),
            now,
        ));
        self.history.record_skipped(&skipped);
        Some(Edited::new(job, skipped).cancelled(cancelled))
    }

    /// Keeps as many ended jobs as ended runs. Jobs defined in code, and jobs that still run, are kept.
    pub(super) fn prune_ended(&mut self, newly_ended: &[JobId]) {
        self.ended.extend(newly_ended.iter().cloned());
        let over = self.ended.len().saturating_sub(self.history.capacity());
        for id in self.ended.drain(..over).collect::<Vec<_>>() {
            let Some(slot) = self.slot(id.as_str()) else {
                continue;
            };
            let Some(row) = self.row(slot).filter(|row| row.is_finished()) else {
                continue;
            };
            if row.is_static() {
                continue;
            }
            if row.occupancy == Occupancy::default() {
                self.ids.remove(&self.rows, id.as_str());
                self.rows[slot as usize] = None;
                self.vacant.push(slot);
                if !self.rewound.is_empty() {
                    self.rewound.remove(&id);
                }
                #[cfg(debug_assertions)]
                self.counts.note_removed(slot, &id);
            } else {
                self.ended.push_back(id);
            }
        }
    }

    /// Returns `true` if a run of this fire time is known. Fire times come again only after a watermark was set back.
    pub(super) fn was_claimed(&self, id: &JobId, at: DateTime<Utc>) -> bool {
        let scheduled = |kind, scheduled_for| kind == RunKind::Scheduled && scheduled_for == at;
        let live = |run: &LiveRun| run.job_id == *id && scheduled(run.kind, run.scheduled_for);
        let waits = |run: &QueuedRun| scheduled(run.kind, run.scheduled_for);
        let queue = self
            .slot(id.as_str())
            .and_then(|slot| self.queued.get(&slot));
        self.live.values().any(live)
            || queue.is_some_and(|queue| queue.iter().any(waits))
            || self.history.has_fire_time(id, at)
    }

    /// Returns the last fire time after `watermark` for which a run of a removed job is known.
    fn last_fire_time(&self, id: &JobId, watermark: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let orphans = self.orphans.get(id).into_iter().flatten();
        let live = orphans
            .filter_map(|run| self.live.get(run))
            .filter(|run| run.kind == RunKind::Scheduled)
            .map(|run| run.scheduled_for);
        let last = live.chain(self.history.last_fire_time(id, watermark)).max();
        last.filter(|last| *last > watermark)
    }

    /// Remembers the previous value of a watermark that was set back.
    fn note_rewound(&mut self, job: &JobRecord, watermark: DateTime<Utc>) {
        if job.watermark < watermark {
            let furthest = self.rewound.entry(job.id.clone()).or_insert(watermark);
            *furthest = watermark.max(*furthest);
        }
    }

    pub(super) fn repair_watermarks(&mut self, now: DateTime<Utc>) -> Vec<JobId> {
        let mut healed = Vec::new();
        for slot in 0..self.rows.len() {
            let slot = Slot::try_from(slot).unwrap_or(Slot::MAX);
            let Some(row) = self.row_mut(slot) else {
                continue;
            };
            let watermark = row.watermark;
            if watermark <= now {
                continue;
            }
            let mut job = row.job();
            if catch_trigger(|| job.repair_watermark(now)).unwrap_or(false) {
                row.set_job(job.clone());
                self.note_rewound(&job, watermark);
                healed.push(job.id);
                self.arm(slot);
            }
        }
        healed
    }
}

/// Keeps the smallest `limit` items, in order.
fn smallest<T>(
    items: &mut Vec<T>,
    limit: usize,
    mut order: impl FnMut(&T, &T) -> std::cmp::Ordering,
) {
    if limit == 0 {
        items.clear();
    } else if items.len() > limit {
        items.select_nth_unstable_by(limit - 1, &mut order);
        items.truncate(limit);
    }
    items.sort_unstable_by(order);
}
