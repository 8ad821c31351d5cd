//! What remains after the process is gone.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use scheduler_core::prelude::*;
use scheduler_core::store::records::{
    Record, RecordChange, RecordStore, Records, Storage, StoredRun,
};
use scheduler_core::store::{ClaimRequest, Claimable, Claimed, History, Store, StoreError};
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Clock, JobId, NodeId, Run, RunFilter, RunId, RunIds, RunKind, RunState};

use super::store::Journal;
use super::{Folder, at};

#[task]
async fn sort_letters() {}

#[tokio::test(start_paused = true)]
async fn jobs_and_runs_are_there_when_the_file_is_opened_again() {
    let folder = Folder::new();
    let clock = VirtualClock::at("2026-01-01T00:00:00Z").unwrap();
    for start in 0..2 {
        let store = RecordStore::open(folder.journal(), clock.now()).await;
        let builder = Scheduler::builder()
            .clock(clock.clone())
            .store(store.unwrap());
        let scheduler = builder.without_static_jobs().start().await.unwrap();
        assert_eq!(scheduler.get_jobs().await.unwrap().len(), start);
        if start == 0 {
            let job = sort_letters::job().id("letters").interval("1h");
            scheduler.add_job(job).await.unwrap();
        }
        clock.advance(TimeDelta::hours(3)).await;
        let runs = scheduler.list_runs(&RunFilter::new()).await.unwrap().items;
        let states: Vec<RunState> = runs.iter().map(|run| run.state).collect();
        assert_eq!(states, vec![RunState::Succeeded; 3 * (start + 1)]);
        scheduler.shutdown(Shutdown::wait()).await;
    }
}

/// Adds jobs, each of which fires every hour.
async fn add(store: impl Store, jobs: &[(&str, bool)]) {
    let clock = VirtualClock::at("2026-01-01T00:00:00Z").unwrap();
    let builder = Scheduler::builder().client().clock(clock).store(store);
    let client = builder.start().await.unwrap();
    for (id, at_most_once) in jobs {
        let job = sort_letters::job().id(*id).interval("1h");
        client
            .add_job(job.at_most_once(*at_most_once))
            .await
            .unwrap();
    }
    client.shutdown(Shutdown::wait()).await;
}

async fn claim(store: &impl Store, now: &str) -> Claimed {
    let claimable = Claimable::new(HashSet::new(), HashSet::from(["sort_letters".into()]));
    let (capacity, run_ids) = (HashMap::from([("default".into(), 8)]), RunIds::new(1));
    let node = NodeId::new(1);
    let request = ClaimRequest::new(node, at(now), &claimable, &capacity, &run_ids);
    store.claim(&request).await.unwrap()
}

async fn runs_of(store: &impl History, job: &str) -> Vec<Run> {
    let filter = RunFilter::new().job(job);
    store.list_runs(&filter).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn live_runs_of_the_last_process_are_taken_over() {
    let folder = Folder::new();
    let store = RecordStore::open(folder.journal(), at("2026-01-01T00:00:00Z"));
    let store = store.await.unwrap();
    add(store.clone(), &[("once", true), ("again", false)]).await;
    assert_eq!(claim(&store, "2026-01-01T01:00:00Z").await.runs.len(), 2);
    drop(store); // as if the process was killed
    let now = "2026-01-01T01:30:00Z";
    let store = RecordStore::open(folder.journal(), at(now)).await.unwrap();
    let once = &runs_of(&store, "once").await[0];
    assert_eq!(
        (once.state, once.finished_at),
        (RunState::Lost, Some(at(now)))
    );
    let again = &runs_of(&store, "again").await[0];
    assert_eq!((again.state, again.attempt), (RunState::Queued, 1));
    assert_eq!(again.earlier_attempts[0].state, RunState::Lost);
    let runs = claim(&store, now).await.runs;
    assert_eq!((runs.len(), runs[0].attempt), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn run_is_taken_over_three_times_and_then_lost() {
    let folder = Folder::new();
    for lost in 0..5 {
        let store = RecordStore::open(folder.journal(), at("2026-01-01T01:00:00Z"));
        let store = store.await.unwrap();
        if lost == 0 {
            add(store.clone(), &[("job", false)]).await;
        }
        let count = claim(&store, "2026-01-01T01:00:00Z").await.runs.len();
        assert_eq!(count, usize::from(lost < 4), "{lost}");
        let expected = match lost {
            4 => RunState::Lost,
            _ => RunState::Running,
        };
        assert_eq!(runs_of(&store, "job").await[0].state, expected);
    }
}

/// Log output of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn run_that_ends_as_cancelled_when_it_is_taken_over_is_logged() {
    let folder = Folder::new();
    let (id, job) = (RunId::from_u128(1), JobId::new("job").unwrap());
    let now = at("2026-01-01T00:00:00Z");
    let run = Run::queued(id, job, "task".into(), RunKind::Manual, now);
    let mut stored = StoredRun::new(run);
    stored.run.state = RunState::Running;
    stored.holder = Some(NodeId::new(1));
    stored.is_cancellation_requested = true;
    let put = RecordChange::Put(Record::Run(stored));
    let line = serde_json::to_string(&[put]).unwrap() + "\n";
    fs::write(folder.0.join("jobs"), line).unwrap();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    RecordStore::open(folder.journal(), now).await.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("again=0 lost=0 cancelled=1"), "{text}");
}

/// Records the state after each write.
struct Recorded<'a> {
    storage: Journal,
    states: &'a Mutex<Vec<Records>>,
}

impl Storage for Recorded<'static> {
    async fn load(&mut self) -> Result<Records, StoreError> {
        let records = self.storage.load().await?;
        self.states.lock().unwrap().push(records.clone());
        Ok(records)
    }

    async fn write(&mut self, changes: &[RecordChange], after: &Records) -> Result<(), StoreError> {
        self.states.lock().unwrap().push(after.clone());
        self.storage.write(changes, after).await
    }
}

/// Wherever the last write was cut off, the file contains the writes before it.
#[tokio::test(start_paused = true)]
async fn file_that_was_cut_off_anywhere_has_all_writes_before() {
    static STATES: Mutex<Vec<Records>> = Mutex::new(Vec::new());
    let folder = Folder::new();
    let storage = Recorded {
        storage: folder.journal(),
        states: &STATES,
    };
    let store = RecordStore::open(storage, at("2026-01-01T00:00:00Z"));
    let store = store.await.unwrap();
    add(store.clone(), &[("a", false), ("b", false)]).await;
    claim(&store, "2026-01-01T01:00:00Z").await;
    claim(&store, "2026-01-01T05:00:00Z").await; // skips fire times
    store
        .remove("a", None, at("2026-01-01T05:00:00Z"))
        .await
        .unwrap();
    drop(store);
    let states = STATES.lock().unwrap().clone();
    let whole = fs::read(folder.0.join("jobs")).unwrap();
    assert_eq!(states.len(), whole.split(|byte| *byte == b'\n').count());
    let ends = (0..whole.len()).filter(|index| whole[*index] == b'\n');
    for length in ends.flat_map(|end| [end / 2, end - 1, end, end + 1]) {
        fs::write(folder.0.join("jobs"), &whole[..length]).unwrap();
        let records = folder.journal().load().await.unwrap();
        let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
        assert!(records == states[lines], "cut off at {length}");
    }
}

#[tokio::test]
async fn unreadable_record_is_refused_and_kept() {
    let folder = Folder::new();
    let line = "[{\"put\":{\"job\":{\"id\":\"of a newer version\"}}}]\n";
    fs::write(folder.0.join("jobs"), line).unwrap();
    let opened = RecordStore::open(folder.journal(), at("2026-01-01T00:00:00Z")).await;
    let message = opened.unwrap_err().to_string();
    assert!(message.contains("jobs:1: "), "{message}");
    assert_eq!(fs::read_to_string(folder.0.join("jobs")).unwrap(), line);
}

#[test]
fn journal_is_opened_by_one_at_a_time() {
    let folder = Folder::new();
    let journal = folder.journal();
    assert!(Journal::open(folder.0.join("jobs")).is_err());
    drop(journal);
    folder.journal();
}
