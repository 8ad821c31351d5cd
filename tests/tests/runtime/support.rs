//! Shared by the scenarios: tasks that follow their arguments, and a scheduler on a virtual clock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{
    Builder, Clock, Event, EventStream, MemoryStore, NextEvent, Run, RunFilter, SkipReason,
    SkippedFilter,
};

/// The first instant of every scenario: a Monday.
pub(crate) const EPOCH: &str = "2026-03-02T00:00:00Z";

/// What runs left behind: their fire times, in the order in which they started.
#[derive(Default)]
pub(crate) struct Journal {
    starts: Mutex<Vec<(String, DateTime<Utc>)>>,
    running: AtomicUsize,
    pub(crate) most_running: AtomicUsize,
}

impl Journal {
    pub(crate) fn enter(&self, ctx: &JobContext) {
        let entry = (ctx.job_id().to_owned(), ctx.scheduled_for());
        self.starts.lock().unwrap().push(entry);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    pub(crate) fn starts(&self) -> Vec<String> {
        let starts = self.starts.lock().unwrap();
        starts.iter().map(|(_, at)| clock_text(*at)).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.starts.lock().unwrap().len()
    }

    /// Clears the starts, and returns their number.
    #[allow(dead_code, reason = "not every test needs all of it")]
    pub(crate) fn take(&self) -> usize {
        std::mem::take(&mut *self.starts.lock().unwrap()).len()
    }
}

/// Leaves the journal even if the run is dropped half-way.
struct Leave(Data<Journal>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Takes the given number of seconds of virtual time.
#[task]
pub(crate) async fn work(#[arg(default)] seconds: u64, ctx: JobContext, journal: Data<Journal>) {
    journal.enter(&ctx);
    let _leave = Leave(journal);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Formats an instant as `00:05` or `1d 00:05`, counted from the first instant.
pub(crate) fn clock_text(at: DateTime<Utc>) -> String {
    let since = at - epoch();
    let days = since.num_days();
    let time = at.format(if at.timestamp() % 60 == 0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    });
    if days > 0 {
        format!("{days}d {time}")
    } else {
        time.to_string()
    }
}

pub(crate) fn epoch() -> DateTime<Utc> {
    EPOCH.parse().unwrap()
}

pub(crate) fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub(crate) fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

/// A scheduler on a virtual clock, and a journal of what it did.
pub(crate) struct World {
    pub(crate) scheduler: Scheduler,
    pub(crate) clock: VirtualClock,
    pub(crate) journal: std::sync::Arc<Journal>,
    pub(crate) events: EventStream,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(set_up: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = VirtualClock::at(EPOCH).unwrap();
        Self::on(clock, MemoryStore::new(), set_up).await
    }

    /// Starts a scheduler over jobs that another one may have left.
    pub(crate) async fn on(
        clock: VirtualClock,
        store: MemoryStore,
        set_up: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let journal = std::sync::Arc::new(Journal::default());
        let builder = Scheduler::builder()
            .clock(clock.clone())
            .store(store)
            .shared_data(journal.clone())
            .without_static_jobs();
        let scheduler = set_up(builder).start().await.unwrap();
        let events = scheduler.events();
        Self {
            scheduler,
            clock,
            journal,
            events,
        }
    }

    pub(crate) async fn add(&self, job: Job) {
        self.scheduler.add_job(job).await.unwrap();
    }

    pub(crate) async fn advance(&self, by: TimeDelta) {
        self.clock.advance(by).await;
    }

    pub(crate) fn starts(&self) -> Vec<String> {
        self.journal.starts()
    }

    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.scheduler
            .list_runs(&RunFilter::new().limit(usize::MAX))
            .await
            .unwrap()
            .items
    }

    /// Returns what was skipped: reason, first, last and count, oldest decision first.
    pub(crate) async fn skipped(&self) -> Vec<(SkipReason, String, String, u64)> {
        let mut skipped = self
            .scheduler
            .list_skipped(&SkippedFilter::new().limit(1_000))
            .await
            .unwrap()
            .items;
        skipped.reverse();
        skipped
            .into_iter()
            .map(|one| {
                (
                    one.reason,
                    clock_text(one.first),
                    clock_text(one.last),
                    one.count,
                )
            })
            .collect()
    }

    pub(crate) fn event_kinds(&mut self) -> Vec<scheduler_core::EventKind> {
        let mut kinds = Vec::new();
        while let Some(next) = self.events.try_next() {
            match next {
                NextEvent::Event(Event { kind, .. }) => kinds.push(kind),
                other => panic!("{other:?}"),
            }
        }
        kinds
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Returns a record in the form of `World::skipped`.
pub(crate) fn skip_record(
    reason: SkipReason,
    first: &str,
    last: &str,
    count: u64,
) -> (SkipReason, String, String, u64) {
    (reason, first.to_owned(), last.to_owned(), count)
}
