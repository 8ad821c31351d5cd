//! The state of each run of this node, as a state machine without I/O: events go in, and commands for the driver come
//! out.
//!
//! | state | the run |
//! | --- | --- |
//! | claimed | waits for a permit of its executor |
//! | running | is being carried out by its executor |
//! | backing off | waits for its next attempt |
//! | awaiting its thread | has timed out and is recorded as such, but its thread is still running |
//! | finished and unwritten | has an end that the store has not recorded yet |
//! | releasing | was not started, and the store has not taken it back yet |
//! | fenced | is no longer held by this node, but its executor has not sent its last report |
//! | unconfirmed | is held by the store for this node, which knows nothing else about it because the answer to its claim was lost |
//!
//! A run holds a slot of its job in all states but the last three, and a permit of its executor while it is running
//! or awaiting its thread. Ends to be written and runs to be released are kept until the store has answered. A lost
//! answer does no harm, because both calls may be repeated.

mod event;
#[cfg(test)]
mod properties;
mod queries;
mod slab;
mod state;
mod stopped;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::elapsed::between;
use crate::cancel::Cancellation;
use crate::engine::shutdown_report::Stopped;
use crate::executor::{Report, ReportEvent};
use crate::id::{RunId, RunSet};
use crate::node::NodeId;
use crate::plan::{Verdict, after_attempt};
use crate::run::AttemptOutcome;
use crate::store::{AttemptEnd, ClaimedRun, End, Finished};
use crate::task::started_run::{Home, StartedRun};
pub(super) use event::{Command, Event, Permit, RecordedEnd, TakePermit};
use slab::Slab;
use state::{Entry, HeldRun, Next, State, Unwritten};
use stopped::{ended_run, error_of};

/// Longer than any process lives, and short enough to be added to any instant.
const LONGEST_BACKOFF: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// See the module documentation.
pub(super) struct Runs {
    home: Arc<Home>,
    /// The identity under which this node holds its runs. Fenced runs were held under earlier ones.
    node: NodeId,
    /// All runs but unconfirmed ones. The lists below order the runs of one state.
    entries: Slab<Entry>,
    /// The number of these runs that the store holds for this node and is not about to take back.
    live: usize,
    /// Claimed runs, the longest-waiting first.
    waiting: VecDeque<u32>,
    /// Ordered by monotonic time, so that a back-off is not affected by changes of the wall clock.
    backing_off: BTreeMap<(Instant, RunId), u32>,
    unwritten: Vec<Report>,
    releasing: Vec<u32>,
    unconfirmed: Vec<RunId>,
    /// If `true`, a claim was sent and has not been answered yet.
    is_claim_open: bool,
    /// If `true`, the answer to an earlier call was lost.
    is_unconfirmed: bool,
    is_draining: bool,
    /// The data for the shutdown report, once the scheduler is stopping.
    stopped: Option<Stopped>,
}

impl Runs {
    pub(super) fn new(node: NodeId, home: Arc<Home>) -> Self {
        Self {
            home,
            node,
            entries: Slab::default(),
            live: 0,
            waiting: VecDeque::new(),
            backing_off: BTreeMap::new(),
            unwritten: Vec::new(),
            releasing: Vec::new(),
            unconfirmed: Vec::new(),
            is_claim_open: false,
            is_unconfirmed: false,
            is_draining: false,
            stopped: None,
        }
    }

    /// Processes an event and carries out each command as it is issued. No other event may be passed in before this
    /// returns.
    #[inline]
    pub(super) fn on(&mut self, event: Event<'_>, carry_out: &mut impl FnMut(Command)) {
        match event {
            Event::ClaimSent => {
                // A claim that is still open was never answered.
                self.is_unconfirmed |= std::mem::replace(&mut self.is_claim_open, true);
            }
            Event::AnswerLost => self.is_unconfirmed = true,
            Event::ClaimAnswered(runs, take_permit) => {
                self.is_claim_open = false;
                self.claimed(runs, take_permit, carry_out);
            }
            Event::Held(runs, asked_for) => self.held(runs, &asked_for, carry_out),
            Event::Requested(node, run) if node == self.node => {
                self.claimed(vec![run], &mut |_| Permit::Full, carry_out);
            }
            Event::Requested(_, run) => carry_out(Command::LogDisowned(Box::new(run))),
            Event::Ready(now, take_permit) => self.start_waiting(now, take_permit, carry_out),
            Event::NotStarted(started) => {
                let entry = find(&mut self.entries, &started);
                if entry.is_some_and(|entry| matches!(entry.state, State::Running { .. })) {
                    self.release(started.index);
                }
            }
            Event::Reported(reports) => self.reported(reports, carry_out),
            Event::Recorded(answers, now) => self.recorded(answers, now, carry_out),
            Event::Released => self.released(),
            Event::CancelRequested(runs, now) => self.cancel(runs, now, carry_out),
            Event::Stopping => {
                self.stopped.get_or_insert_default();
            }
            Event::Draining => self.drain(),
            Event::DeadlinePassed(callers, level) => self.stop_started(callers, level, carry_out),
            Event::Fenced(node) => self.fence(node, carry_out),
        }
    }

    fn claimed(
        &mut self,
        runs: Vec<ClaimedRun>,
        take_permit: TakePermit<'_>,
        carry_out: &mut impl FnMut(Command),
    ) {
        for run in runs {
            self.live += 1;
            if !self.is_draining && take_permit(&run.policies.executor) == Permit::Taken {
                let home = &self.home;
                self.entries.insert_with(|index| {
                    let started = Arc::new(StartedRun::new(run, home, index));
                    carry_out(Command::Start(started.clone()));
                    Entry {
                        run: HeldRun::Started(started),
                        state: State::Running { is_asked: false },
                    }
                });
                continue;
            }
            let index = self.entries.insert_with(|_| Entry {
                run: HeldRun::Waiting(Box::new(run)),
                state: State::Claimed,
            });
            if self.is_draining {
                self.release(index);
            } else {
                self.waiting.push_back(index);
            }
        }
    }

    /// Starts the next attempt of a waiting run.
    fn start(&mut self, index: u32, carry_out: &mut impl FnMut(Command)) {
        let home = &self.home;
        self.entries.change(index, |entry| {
            let HeldRun::Waiting(run) = entry.run else {
                return entry;
            };
            let started = Arc::new(StartedRun::new(*run, home, index));
            carry_out(Command::Start(started.clone()));
            Entry {
                run: HeldRun::Started(started),
                state: State::Running { is_asked: false },
            }
        });
    }

    fn start_waiting(
        &mut self,
        now: Instant,
        take_permit: TakePermit<'_>,
        carry_out: &mut impl FnMut(Command),
    ) {
        while let Some(first) = self.backing_off.first_entry() {
            if first.key().0 > now {
                break;
            }
            let index = first.remove();
            self.set(index, State::Claimed);
            self.waiting.push_back(index);
        }
        for _ in 0..self.waiting.len() {
            let Some(index) = self.waiting.pop_front() else {
                break;
            };
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            match take_permit(&entry.run.policies.executor) {
                Permit::Taken => self.start(index, carry_out),
                Permit::Full => self.waiting.push_back(index),
                Permit::Unknown => {
                    carry_out(Command::LogUnknownExecutor(Box::new(entry.run.clone())));
                    self.release(index);
                }
            }
        }
    }

    fn reported(&mut self, mut reports: Vec<Report>, carry_out: &mut impl FnMut(Command)) {
        reports.retain(|report| self.must_be_written(report, carry_out));
        if self.unwritten.is_empty() {
            self.unwritten = reports;
        } else {
            self.unwritten.append(&mut reports);
        }
    }

    /// Processes a report. Returns `true` if the store has to record it.
    #[inline]
    fn must_be_written(&mut self, report: &Report, carry_out: &mut impl FnMut(Command)) -> bool {
        let index = report.run.index;
        let Some(entry) = find(&mut self.entries, &report.run) else {
            return false;
        };
        let unwritten = match (&report.event, entry.state) {
            (ReportEvent::Ended { body_runs, .. }, State::Running { .. }) => Unwritten {
                next: Next::End,
                body_runs: *body_runs,
                was_waiting: false,
            },
            (ReportEvent::BodyReturned, State::AwaitingThread(next)) => Unwritten {
                next,
                body_runs: false,
                was_waiting: false,
            },
            (ReportEvent::BodyReturned, State::Unwritten(unwritten)) if unwritten.body_runs => {
                Unwritten {
                    body_runs: false,
                    ..unwritten
                }
            }
            (ReportEvent::Ended { body_runs, .. }, State::Fenced) => {
                self.end_late(report.run.clone(), *body_runs, carry_out);
                return false;
            }
            (ReportEvent::BodyReturned, State::Fenced) => {
                self.remove(index);
                return false;
            }
            // It was reported before.
            _ => return false,
        };
        entry.set(State::Unwritten(unwritten), &mut self.live);
        true
    }

    fn recorded(&mut self, answers: Vec<bool>, now: Instant, carry_out: &mut impl FnMut(Command)) {
        let mut reports = std::mem::take(&mut self.unwritten);
        if answers.len() < reports.len() {
            self.unwritten = reports.split_off(answers.len());
        }
        for (report, is_recorded) in reports.into_iter().zip(answers) {
            let index = report.run.index;
            match report.event {
                ReportEvent::Ended { .. } if is_recorded => {
                    self.attempt_recorded(report, now, carry_out);
                }
                ReportEvent::Ended { body_runs, .. } => {
                    if let Some(stopped) = &mut self.stopped {
                        stopped.unwritten.extend(ended_run(&report));
                    }
                    self.end_late(report.run, body_runs, carry_out);
                }
                ReportEvent::BodyReturned if is_recorded => self.go_on(index, now),
                ReportEvent::BodyReturned => {
                    self.remove(index);
                }
            }
        }
    }

    #[inline]
    fn attempt_recorded(
        &mut self,
        report: Report,
        now: Instant,
        carry_out: &mut impl FnMut(Command),
    ) {
        let ReportEvent::Ended {
            outcome,
            is_asked,
            body_runs,
        } = report.event
        else {
            return;
        };
        let run = &report.run.run;
        let verdict = after_attempt(&run.policies, run.failures, is_asked, &outcome);
        if let Some(stopped) = &mut self.stopped {
            stopped.count(run, verdict, || error_of(&outcome));
        }
        let index = report.run.index;
        let mut was_waiting = false;
        match verdict {
            Verdict::Final(_) if !body_runs => {
                if let Some(entry) = self.remove(index) {
                    was_waiting = entry.state.was_waiting();
                }
            }
            _ => {
                let state = self.entries.get(index).map(|entry| entry.state);
                was_waiting = state.is_some_and(State::was_waiting);
                self.set(index, State::AwaitingThread(Next::of(verdict)));
                if !body_runs {
                    self.go_on(index, now);
                }
            }
        }
        carry_out(Command::Publish(RecordedEnd {
            started_at: report.started_at,
            finished_at: report.finished_at,
            run: report.run,
            outcome,
            verdict,
            body_runs,
            was_waiting,
        }));
    }

    /// Continues a run whose attempt is recorded and whose thread has returned.
    fn go_on(&mut self, index: u32, now: Instant) {
        let state = self.entries.get(index).map(|entry| entry.state);
        let next = match state {
            Some(State::AwaitingThread(next) | State::Unwritten(Unwritten { next, .. })) => next,
            _ => Next::End,
        };
        let Next::Retry(delay) = next else {
            self.remove(index);
            return;
        };
        let at = now + delay.min(LONGEST_BACKOFF);
        self.entries.change(index, |entry| {
            let run = ClaimedRun {
                attempt: entry.run.attempt + 1,
                failures: entry.run.failures + 1,
                ..ClaimedRun::clone(&entry.run)
            };
            Entry {
                run: HeldRun::Waiting(Box::new(run)),
                ..entry
            }
        });
        if self.is_draining {
            self.release(index);
        } else if let Some(entry) = self.entries.get(index) {
            self.backing_off.insert((at, entry.run.run_id), index);
            self.set(index, State::BackingOff(at));
        }
    }

    /// Handles the end of an attempt whose run this node no longer holds.
    fn end_late(
        &mut self,
        run: Arc<StartedRun>,
        body_runs: bool,
        carry_out: &mut impl FnMut(Command),
    ) {
        if body_runs {
            self.set(run.index, State::Fenced);
        } else {
            self.remove(run.index);
        }
        carry_out(Command::PublishLate(run));
    }

    fn cancel(
        &mut self,
        mut runs: Vec<RunId>,
        now: DateTime<Utc>,
        carry_out: &mut impl FnMut(Command),
    ) {
        if runs.is_empty() {
            // Fast path: avoids searching the runs of this node in every step.
            return;
        }
        // Stores list a run until it has ended, and there may be thousands.
        runs.sort_unstable();
        let can_be_cancelled = |state| match state {
            State::Claimed | State::BackingOff(_) | State::AwaitingThread(Next::Retry(_)) => true,
            State::Running { is_asked } => !is_asked,
            _ => false,
        };
        let cancelled = self.entries.iter().filter(|(_, entry)| {
            can_be_cancelled(entry.state) && runs.binary_search(&entry.run.run_id).is_ok()
        });
        let cancelled: Vec<u32> = cancelled.map(|(index, _)| index).collect();
        for index in cancelled {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            match entry.state {
                State::Running { .. } => {
                    let started = entry.run.started().cloned();
                    let stop = |started| Command::Stop(started, Cancellation::Requested);
                    if let Some(started) = started {
                        carry_out(stop(started));
                    }
                    self.set(index, State::Running { is_asked: true });
                }
                State::BackingOff(at) => {
                    self.backing_off.remove(&(at, entry.run.run_id));
                    self.cancel_waiting(index, now, false);
                }
                State::Claimed => {
                    self.waiting.retain(|waiting| *waiting != index);
                    self.cancel_waiting(index, now, false);
                }
                _ => self.cancel_waiting(index, now, true),
            }
        }
    }

    /// Ends a run that waits for its next attempt.
    fn cancel_waiting(&mut self, index: u32, now: DateTime<Utc>, body_runs: bool) {
        let home = &self.home;
        let mut run = None;
        self.entries.change(index, |entry| {
            let started = match entry.run {
                HeldRun::Waiting(run) => Arc::new(StartedRun::new(*run, home, index)),
                HeldRun::Started(started) => started,
            };
            run = Some(started.clone());
            Entry {
                run: HeldRun::Started(started),
                ..entry
            }
        });
        self.unwritten.extend(run.map(|run| Report {
            run,
            started_at: now,
            finished_at: now,
            event: ReportEvent::Ended {
                outcome: AttemptOutcome::Cancelled(None),
                is_asked: true,
                body_runs,
            },
        }));
        let unwritten = Unwritten {
            next: Next::End,
            body_runs,
            was_waiting: true,
        };
        self.set(index, State::Unwritten(unwritten));
    }

    fn held(
        &mut self,
        runs: Vec<RunId>,
        asked_for: &HashSet<RunId>,
        carry_out: &mut impl FnMut(Command),
    ) {
        (self.is_claim_open, self.is_unconfirmed) = (false, false);
        let held = self.entries.iter().map(|(_, entry)| entry);
        let held = held.filter(|entry| entry.state != State::Fenced);
        let known: RunSet = held.map(|entry| entry.run.run_id).collect();
        let mut runs = runs;
        runs.retain(|run| !known.contains(run) && !asked_for.contains(run));
        if !runs.is_empty() {
            carry_out(Command::LogUnconfirmed(runs.len()));
        }
        self.unconfirmed = runs;
    }

    fn released(&mut self) {
        self.unconfirmed.clear();
        for index in std::mem::take(&mut self.releasing) {
            let entry = self.entries.remove(index);
            if let (Some(entry), Some(stopped)) = (entry, &mut self.stopped) {
                stopped.count_released(&entry.run);
            }
        }
    }

    fn drain(&mut self) {
        self.is_draining = true;
        let backing_off = std::mem::take(&mut self.backing_off);
        let waiting = std::mem::take(&mut self.waiting);
        for index in waiting.into_iter().chain(backing_off.into_values()) {
            self.release(index);
        }
    }

    fn release(&mut self, index: u32) {
        self.set(index, State::Releasing);
        self.releasing.push(index);
    }

    fn stop_started(
        &mut self,
        callers: &[RunId],
        level: Cancellation,
        carry_out: &mut impl FnMut(Command),
    ) {
        for index in self.in_order(|entry| entry.state.is_with_executor()) {
            if let Some(entry) = self.entries.get(index)
                && !callers.contains(&entry.run.run_id)
                && let Some(started) = entry.run.started()
            {
                carry_out(Command::Stop(started.clone(), level));
            }
        }
    }

    /// Marks all runs as fenced. The node that takes them over records how they end.
    fn fence(&mut self, node: NodeId, carry_out: &mut impl FnMut(Command)) {
        self.node = node;
        (self.is_claim_open, self.is_unconfirmed) = (false, false);
        self.unconfirmed.clear();
        self.count_fenced();
        self.waiting.clear();
        self.backing_off.clear();
        self.releasing.clear();
        self.stop_started(&[], Cancellation::Forced, carry_out);
        for index in self.in_order(|entry| !matches!(entry.state, State::Unwritten(_))) {
            let state = self.entries.get(index).map(|entry| entry.state);
            match state {
                Some(state) if state.is_with_executor() => self.set(index, State::Fenced),
                Some(State::Fenced) | None => {}
                Some(_) => {
                    self.remove(index);
                }
            }
        }
        for report in std::mem::take(&mut self.unwritten) {
            match report.event {
                ReportEvent::Ended { body_runs, .. } => {
                    self.end_late(report.run, body_runs, carry_out);
                }
                ReportEvent::BodyReturned => {
                    self.remove(report.run.index);
                }
            }
        }
    }

    fn set(&mut self, index: u32, state: State) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.set(state, &mut self.live);
        }
    }

    fn remove(&mut self, index: u32) -> Option<Entry> {
        let entry = self.entries.remove(index)?;
        self.live -= usize::from(entry.state.is_live());
        Some(entry)
    }

    /// Returns the indexes of the chosen runs, in the order in which the runs were created.
    fn in_order(&self, is_chosen: impl Fn(&Entry) -> bool) -> Vec<u32> {
        let chosen = self.entries.iter().filter(|(_, entry)| is_chosen(entry));
        let mut chosen: Vec<_> = chosen
            .map(|(index, entry)| (entry.run.run_id, index))
            .collect();
        chosen.sort_unstable();
        chosen.into_iter().map(|(_, index)| index).collect()
    }
}

/// Finds the run whose current attempt is `started`.
fn find<'a>(entries: &'a mut Slab<Entry>, started: &Arc<StartedRun>) -> Option<&'a mut Entry> {
    let entry = entries.get_mut(started.index)?;
    let present = entry.run.started()?;
    Arc::ptr_eq(present, started).then_some(entry)
}

/// Converts a report into what the store records.
fn record(report: &Report) -> Finished {
    let run = report.run();
    let end = match &report.event {
        ReportEvent::BodyReturned => End::Body,
        ReportEvent::Ended {
            outcome,
            is_asked,
            body_runs,
        } => End::Attempt(AttemptEnd {
            verdict: after_attempt(&run.policies, run.failures, *is_asked, outcome),
            state: outcome.state(),
            started_at: report.started_at,
            finished_at: report.finished_at,
            lateness: between(run.due_at, report.started_at),
            error: outcome.error().map(Box::from),
            value: outcome.value().map(Box::from),
            body_runs: *body_runs,
        }),
    };
    Finished {
        run_id: run.run_id,
        attempt: run.attempt,
        end,
    }
}
