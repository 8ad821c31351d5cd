//! Publishes `JobAdded` before any other event of a job, although the driver may claim the job as soon as it is in
//! the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::Engine;
use crate::event::EventKind;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::lock::lock;

/// The jobs that are being added to a store.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
    /// The number of jobs, so that the lock is not taken when there are none.
    count: AtomicUsize,
    coming: Mutex<HashMap<JobId, Coming>>,
}

#[derive(Debug, Default)]
struct Coming {
    /// The number of calls that are adding a job with this id.
    calls: usize,
    /// If `true`, the driver has published the event.
    told: bool,
}

impl Announcements {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Coming>> {
        lock(&self.coming)
    }
}

/// The jobs that one call adds.
pub(crate) struct Announcement<'a> {
    engine: &'a Engine,
    ids: Vec<JobId>,
}

impl Announcement<'_> {
    /// Publishes that the jobs are in the store.
    pub(crate) fn done(mut self) {
        let announcements = &self.engine.announcements;
        for id in std::mem::take(&mut self.ids) {
            // The event is sent while the lock is held. Otherwise the driver could publish the next one first.
            let mut coming = announcements.lock();
            let told = coming
                .get_mut(&id)
                .is_some_and(|coming| std::mem::take(&mut coming.told));
            if !told {
                self.engine.publish(|| EventKind::JobAdded(id.clone()));
            }
            forget(announcements, &mut coming, &id);
        }
    }
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        let announcements = &self.engine.announcements;
        for id in &self.ids {
            forget(announcements, &mut announcements.lock(), id);
        }
    }
}

fn forget(announcements: &Announcements, coming: &mut HashMap<JobId, Coming>, id: &JobId) {
    if let Some(one) = coming.get_mut(id) {
        one.calls -= 1;
        if one.calls == 0 {
            coming.remove(id);
            announcements.count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Engine {
    /// Announces jobs. Must be called before they are put into a store.
    pub(crate) fn announce(&self, jobs: &[JobRecord]) -> Announcement<'_> {
        let announcements = &self.announcements;
        let ids: Vec<JobId> = if self.events.has_listeners() {
            jobs.iter().map(|job| job.id.clone()).collect()
        } else {
            Vec::new()
        };
        for id in &ids {
            let mut coming = announcements.lock();
            let one = coming.entry(id.clone()).or_default();
            if one.calls == 0 {
                announcements.count.fetch_add(1, Ordering::SeqCst);
            }
            one.calls += 1;
        }
        Announcement { engine: self, ids }
    }

    /// Publishes that a job was added if another event of it is about to be published before the call that adds it
    /// has returned.
    pub(crate) fn publish_added(&self, id: &JobId) {
        let announcements = &self.announcements;
        if announcements.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(coming) = announcements.lock().get_mut(id)
            && !std::mem::replace(&mut coming.told, true)
        {
            self.publish(|| EventKind::JobAdded(id.clone()));
        }
    }
}
