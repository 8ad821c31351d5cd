//! How attempts ended: decided, written in batches, then told.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};

use super::Driver;
use super::backlog::run_event;
use super::live::Live;
use crate::clock::monotonic_now;
use crate::engine::shutdown_report::EndedRun;
use crate::event::EventKind;
use crate::executor::{Report, ReportEvent};
use crate::metrics;
use crate::plan::{Verdict, after_attempt};
use crate::run::{AttemptOutcome, RunState};
use crate::store::{ClaimedRun, End, Finished, StoreError};
use crate::task::started_run::StartedRun;

/// Longer than any process lives, and short enough to be added to any instant.
const LONGEST_BACKOFF: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Ends that the store has not recorded yet; kept until it has.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    reports: Vec<Report>,
}

impl Unwritten {
    pub(super) fn add(&mut self, mut reports: Vec<Report>) {
        if self.reports.is_empty() {
            self.reports = reports;
        } else {
            self.reports.append(&mut reports);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    pub(super) fn has(&self, run: crate::id::RunId) -> bool {
        self.reports.iter().any(|report| report.run().run_id == run)
    }

    /// The runs whose attempt has ended, and how.
    pub(super) fn ended(&self) -> impl Iterator<Item = EndedRun> {
        self.reports.iter().filter_map(EndedRun::of_report)
    }

    /// Takes everything out.
    pub(super) fn take(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// A run whose cancellation was requested while it waited for its next attempt.
    pub(super) fn cancelled(&mut self, run: Arc<StartedRun>, now: DateTime<Utc>, body_runs: bool) {
        let outcome = AttemptOutcome::Cancelled(None);
        let event = ReportEvent::ended(&run, outcome, body_runs);
        self.reports.push(Report {
            run,
            started_at: now,
            finished_at: now,
            event,
        });
    }
}

/// What is told once the store has recorded it.
pub(super) struct Told {
    pub(super) run: Arc<StartedRun>,
    pub(super) state: RunState,
    pub(super) verdict: Verdict,
    pub(super) error: Option<Box<str>>,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    body_runs: bool,
}

impl Driver {
    /// Records all ends that are known, in one batch.
    pub(super) async fn write_outcomes(&mut self) -> Result<(), StoreError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let reports = self.unwritten.reports.iter();
        let finished = reports.map(Self::finished).collect();
        // On an error everything stays unwritten: finishing is conditional, so a second try is safe.
        let held = self.port.store().finish(self.node, finished).await?;
        let reports = std::mem::take(&mut self.unwritten.reports);
        for (report, held) in reports.into_iter().zip(held) {
            self.settle(report, held);
        }
        Ok(())
    }

    /// Tells what was recorded, and prepares what follows.
    fn settle(&mut self, report: Report, held: bool) {
        let run_id = report.run().run_id;
        if !held {
            self.live.remove(&report.run);
            self.asked.remove(&run_id);
            self.publish_late(&report);
            self.count_late(&report);
            return;
        }
        let told = match report.event {
            ReportEvent::BodyReturned => {
                self.live.remove(&report.run);
                self.asked.remove(&run_id);
                if let Some((delay, run)) = self.backlog.after_body.remove(&run_id) {
                    self.retry(run, delay);
                }
                return;
            }
            ReportEvent::Ended {
                outcome,
                is_asked,
                body_runs,
            } => {
                let run = &report.run.run;
                if run.attempt == 1 {
                    metrics::run_started(&run.task, lateness(run, report.started_at));
                }
                Told {
                    state: outcome.state(),
                    verdict: after_attempt(&run.policies, run.failures, is_asked, &outcome),
                    error: outcome.into_record().0,
                    started_at: report.started_at,
                    finished_at: report.finished_at,
                    run: report.run,
                    body_runs,
                }
            }
        };
        self.tell(&told);
        self.count_reported(&told);
        if !told.body_runs {
            self.live.remove(&told.run);
            self.asked.remove(&run_id);
        }
        if let Verdict::Retry(delay) = told.verdict {
            let run = told.run.run.clone();
            let run = ClaimedRun {
                attempt: run.attempt + 1,
                failures: run.failures + 1,
                ..run
            };
            if told.body_runs {
                self.backlog.after_body.insert(run_id, (delay, run));
            } else {
                self.retry(run, delay);
            }
        }
    }

    /// Tells that an outcome came when the run was not this node's any more.
    pub(super) fn publish_late(&self, report: &Report) {
        let run = report.run();
        let (job_id, run_id) = (run.job_id.clone(), run.run_id);
        tracing::warn!(%job_id, %run_id, attempt = run.attempt, "the run had been taken over; its outcome was not recorded");
        self.engine
            .publish(|| EventKind::LateOutcome { job_id, run_id });
    }

    fn retry(&mut self, run: ClaimedRun, delay: Duration) {
        let at = monotonic_now() + delay.min(LONGEST_BACKOFF);
        self.backlog.push_retry(at, run);
    }

    fn tell(&self, told: &Told) {
        let Told {
            run,
            state,
            verdict,
            error,
            started_at,
            finished_at,
            body_runs,
        } = told;
        let is_started = run.index != Live::NOWHERE;
        let run = &run.run;
        let (job_id, run_id) = (&run.job_id, run.run_id);
        let text = || Arc::<str>::from(error.as_deref().unwrap_or_default());
        let event = run_event;
        if let Verdict::Retry(delay) = *verdict {
            self.engine.publish(|| EventKind::Retrying {
                run: event(run),
                error: text(),
                delay,
            });
            return;
        }
        metrics::run_ended(&run.task, *state, between(*started_at, *finished_at));
        match state {
            RunState::Succeeded => {
                self.engine.publish(|| EventKind::Succeeded {
                    run: event(run),
                    duration: between(*started_at, *finished_at),
                });
            }
            RunState::TimedOut => {
                let timeout = run.policies.timeout.unwrap_or_default();
                let body_runs = *body_runs;
                self.engine.publish(|| EventKind::TimedOut {
                    run: event(run),
                    timeout,
                    body_runs,
                });
            }
            RunState::Cancelled => {
                // What an executor carried out is logged in its span.
                if !is_started {
                    tracing::info!(%job_id, %run_id, attempt = run.attempt, "cancelled before its next attempt");
                }
                self.engine.publish(|| EventKind::Cancelled(event(run)));
            }
            _ => self.engine.publish(|| EventKind::Failed {
                run: event(run),
                error: text(),
            }),
        }
    }

    /// What the store records of a report.
    fn finished(report: &Report) -> Finished {
        let Report {
            started_at,
            finished_at,
            event,
            ..
        } = report;
        let run = report.run();
        let end = match event {
            ReportEvent::BodyReturned => End::Body,
            ReportEvent::Ended {
                outcome,
                is_asked,
                body_runs,
            } => {
                let (error, value) = outcome.clone().into_record();
                End::Attempt {
                    verdict: after_attempt(&run.policies, run.failures, *is_asked, outcome),
                    started_at: *started_at,
                    finished_at: *finished_at,
                    lateness: lateness(run, *started_at),
                    error,
                    value,
                    body_runs: *body_runs,
                    state: outcome.state(),
                }
            }
        };
        Finished {
            run_id: run.run_id,
            attempt: run.attempt,
            end,
        }
    }
}

/// How long after its instant a run started.
fn lateness(run: &ClaimedRun, started_at: DateTime<Utc>) -> Duration {
    between(run.due_at, started_at)
}

/// From one instant to a later one; nothing if it is earlier.
fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    let (from, to) = (earlier.naive_utc(), later.naive_utc());
    if from.date() == to.date() {
        // Fast path: most runs start on the day that they are due on, and dates are costly to take apart.
        let of_day = |at: chrono::NaiveDateTime| {
            Duration::new(at.num_seconds_from_midnight().into(), at.nanosecond())
        };
        return of_day(to).saturating_sub(of_day(from));
    }
    // Instants are whole microseconds, and are counted as such.
    let micros = later.timestamp_micros() - earlier.timestamp_micros();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_instants_is_exact_within_a_day_and_across_midnight() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (late, later) = (
            at("2026-03-01T23:59:58.000001Z"),
            at("2026-03-01T23:59:59.5Z"),
        );
        assert_eq!(between(late, later), Duration::from_micros(1_499_999));
        assert_eq!(between(later, late), Duration::ZERO);
        let next_day = at("2026-03-02T00:00:01Z");
        assert_eq!(between(later, next_day), Duration::from_millis(1_500));
        assert_eq!(between(next_day, later), Duration::ZERO);
    }
}
