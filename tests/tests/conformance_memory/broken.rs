//! Stores that each break their contract in one way, which the suite must detect.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use scheduler_core::store::{
    AllInserted, CancelledRun, ClaimRequest, Claimed, Edited, Finished, Inserted, Intercept,
    Intercepted, JobAnswer, JobQuery, ManualRequest, ManualRun, NewJob, SkippedQuery, Store,
    StoreFuture,
};
use scheduler_core::{JobRecord, JobState, MemoryStore, NodeId, Revision, RunId, Skipped};
use scheduler_store_tests::{Subject, run_case};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Returns the runs of the previous claim a second time.
    ClaimsTwice,
    /// Ends the live attempt, whatever attempt was reported.
    IgnoresTheAttempt,
    /// Ends a run for any node, not only for its holder.
    IgnoresTheNode,
    /// Allows one more live run than the job does.
    MiscountsLiveRuns,
    /// Records no skipped fire times.
    ForgetsSkipped,
    /// Continues after the last record of a page by its instant alone, and so leaves out records of the same instant.
    PagesByInstant,
    /// Inserts part of a batch that it refuses.
    InsertsByHalves,
    /// Sorts ids as if upper and lower case were the same.
    SortsByDictionary,
    /// Filters by text case-sensitively.
    MindsCase,
    /// Cuts off a page before it filters the jobs.
    CutsBeforeItLooks,
    /// Lists jobs whose trigger has ended as finished, even if they are paused.
    FinishesPausedJobs,
    /// Removes and runs jobs whatever revision their callers have seen.
    IgnoresTheRevision,
    /// Returns the runs that a node must stop only once, and forgets them after the answer.
    TellsOnce,
    /// Releases no runs.
    KeepsWhatIsGivenBack,
    /// Truncates instants to whole seconds.
    CutsInstants,
}

/// One fault of a memory store.
#[derive(Debug)]
struct Broken {
    fault: Fault,
    last: Mutex<Claimed>,
    told: Mutex<HashSet<RunId>>,
}

impl Broken {
    fn subject(fault: Fault) -> Subject {
        let broken = Self {
            fault,
            last: Mutex::default(),
            told: Mutex::default(),
        };
        Subject::new(Intercepted::new(Arc::new(MemoryStore::new()), broken))
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

impl Intercept for Broken {
    fn insert<'a>(
        &'a self,
        store: &'a dyn Store,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Inserted> {
        Box::pin(async move {
            if !self.is(Fault::InsertsByHalves) {
                let miscounts = self.is(Fault::MiscountsLiveRuns);
                let jobs = jobs.into_iter().map(|mut new| {
                    let mut policies = (*new.record.policies).clone();
                    policies.max_instances += u32::from(miscounts);
                    new.record.policies = policies.into();
                    new
                });
                return store.insert(jobs.collect(), now).await;
            }
            let mut answer = Inserted::All(AllInserted::default());
            for new in jobs {
                answer = store.insert(vec![new], now).await?;
                if !matches!(answer, Inserted::All(_)) {
                    break;
                }
            }
            Ok(answer)
        })
    }

    fn get_job<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
    ) -> StoreFuture<'a, Option<JobRecord>> {
        Box::pin(async move {
            let mut job = store.get_job(id).await?;
            if let Some(job) = job.as_mut().filter(|_| self.is(Fault::CutsInstants)) {
                job.watermark = DateTime::from_timestamp(job.watermark.timestamp(), 0).unwrap();
            }
            Ok(job)
        })
    }

    fn list_jobs<'a>(
        &'a self,
        store: &'a dyn Store,
        query: &'a JobQuery,
    ) -> StoreFuture<'a, Vec<JobRecord>> {
        Box::pin(async move {
            let mut asked = query.clone();
            if self.is(Fault::CutsBeforeItLooks) {
                asked.state = None;
            }
            if self.is(Fault::FinishesPausedJobs) && query.state == Some(JobState::Finished) {
                asked.state = None;
            }
            let mut jobs = store.list_jobs(&asked).await?;
            if let Some(text) = query.text.as_ref().filter(|_| self.is(Fault::MindsCase)) {
                let has = |name: &str| name.contains(text.as_str());
                jobs.retain(|job| has(job.id.as_str()) || has(&job.task));
            }
            if self.is(Fault::CutsBeforeItLooks) {
                jobs.retain(|job| query.matches(job));
            } else if asked.state != query.state {
                jobs.retain(JobRecord::is_finished);
            }
            if self.is(Fault::SortsByDictionary) {
                jobs.sort_by_key(|job| job.id.as_str().to_lowercase());
            }
            Ok(jobs)
        })
    }

    fn remove<'a>(
        &'a self,
        store: &'a dyn Store,
        id: &'a str,
        seen: Option<Revision>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, JobAnswer<Edited>> {
        let seen = seen.filter(|_| !self.is(Fault::IgnoresTheRevision));
        store.remove(id, seen, now)
    }

    fn run_now<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ManualRequest<'a>,
    ) -> StoreFuture<'a, JobAnswer<ManualRun>> {
        let mut request = *request;
        if self.is(Fault::IgnoresTheRevision) {
            request.seen = None;
        }
        Box::pin(async move { store.run_now(&request).await })
    }

    fn claim<'a>(
        &'a self,
        store: &'a dyn Store,
        request: &'a ClaimRequest<'a>,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move {
            let mut claim = store.claim(request).await?;
            if self.is(Fault::ClaimsTwice) {
                let mut last = self.last.lock().unwrap();
                let again = std::mem::take(&mut last.runs);
                last.runs.clone_from(&claim.runs);
                claim.runs.extend(again);
            }
            Ok(claim)
        })
    }

    fn list_cancellations<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
    ) -> StoreFuture<'a, Vec<RunId>> {
        Box::pin(async move {
            let mut asked = store.list_cancellations(node).await?;
            if self.is(Fault::TellsOnce) {
                let mut told = self.told.lock().unwrap();
                asked.retain(|run| told.insert(*run));
            }
            Ok(asked)
        })
    }

    fn finish<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
        mut finished: Vec<Finished>,
    ) -> StoreFuture<'a, Vec<bool>> {
        Box::pin(async move {
            let mut answers = Vec::new();
            for mut one in finished.drain(..) {
                let run = store.get_run(one.run_id).await?;
                let mut by = node;
                if let Some(run) = run.filter(|run| !run.state.is_final()) {
                    if self.is(Fault::IgnoresTheAttempt) {
                        one.attempt = run.attempt;
                    }
                    for other in (1..4).map(NodeId::new) {
                        let holds = store.list_held(other).await?.contains(&one.run_id);
                        if holds && self.is(Fault::IgnoresTheNode) {
                            by = other;
                        }
                    }
                }
                answers.extend(store.finish(by, vec![one]).await?);
            }
            Ok(answers)
        })
    }

    fn release<'a>(
        &'a self,
        store: &'a dyn Store,
        node: NodeId,
        runs: Vec<RunId>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Vec<CancelledRun>> {
        if self.is(Fault::KeepsWhatIsGivenBack) {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        store.release(node, runs, now)
    }

    fn list_skipped<'a>(
        &'a self,
        store: &'a dyn Store,
        query: &'a SkippedQuery,
    ) -> StoreFuture<'a, Vec<(u64, Skipped)>> {
        Box::pin(async move {
            let mut listed = store.list_skipped(query).await?;
            if self.is(Fault::ForgetsSkipped) {
                listed.clear();
            }
            if let Some(below) = query.below.filter(|_| self.is(Fault::PagesByInstant)) {
                let mut before = query.clone();
                (before.below, before.limit) = (Some(below + 1), 1);
                let last = store.list_skipped(&before).await?;
                listed.retain(|(_, skipped)| {
                    last.iter()
                        .all(|(_, last)| skipped.decided_at < last.decided_at)
                });
            }
            Ok(listed)
        })
    }
}

async fn fails(fault: Fault, case: &str) {
    let outcome = run_case(case, Broken::subject(fault)).await;
    assert!(outcome.is_err(), "{fault:?} passes {case}");
}

#[tokio::test]
async fn the_suite_notices_every_fault() {
    for (fault, case) in [
        (Fault::ClaimsTwice, "a_fire_time_is_claimed_once"),
        (Fault::IgnoresTheAttempt, "a_late_end_changes_nothing"),
        (Fault::IgnoresTheNode, "a_late_end_changes_nothing"),
        (Fault::MiscountsLiveRuns, "a_replaced_job_counts_live_runs"),
        (
            Fault::MiscountsLiveRuns,
            "a_manual_run_starts_at_its_holder",
        ),
        (Fault::ForgetsSkipped, "a_claim_decides_as_the_plan_does"),
        (
            Fault::ForgetsSkipped,
            "a_removed_job_skips_pending_fire_times",
        ),
        (
            Fault::PagesByInstant,
            "skipped_pages_go_on_among_records_of_one_instant",
        ),
        (Fault::InsertsByHalves, "jobs_are_inserted_all_or_none"),
        (Fault::SortsByDictionary, "ids_of_every_kind_are_kept"),
        (
            Fault::IgnoresTheRevision,
            "a_stale_revision_removes_nothing",
        ),
        (Fault::IgnoresTheRevision, "a_stale_revision_runs_nothing"),
        (Fault::MindsCase, "jobs_are_listed_by_what_they_are"),
        (Fault::CutsBeforeItLooks, "jobs_are_listed_by_what_they_are"),
        (
            Fault::FinishesPausedJobs,
            "jobs_are_listed_by_what_they_are",
        ),
        (
            Fault::KeepsWhatIsGivenBack,
            "a_released_run_before_its_start_counts_no_attempt",
        ),
        (Fault::CutsInstants, "instants_are_kept_to_the_microsecond"),
    ] {
        fails(fault, case).await;
    }
}

#[tokio::test]
async fn the_suite_notices_what_is_lost_with_an_answer() {
    let case = "cancellation_of_a_live_run_is_listed_for_its_node";
    let subject = Broken::subject(Fault::TellsOnce);
    assert!(run_case(case, subject).await.is_ok());
    let subject = Broken::subject(Fault::TellsOnce).losing_answers();
    assert!(run_case(case, subject).await.is_err());
}
