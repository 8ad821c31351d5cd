//! The schedule of a driver's secondary duties. They serve the store rather than the jobs and never delay a claim:
//! they start after one and run alongside the next ones. A failed duty is retried within a minute.

use std::time::Duration;

use tokio::time::Instant;

use crate::health::Duty;

/// The interval of retention and counting, and the longest delay before a failed duty is retried.
const EVERY: Duration = Duration::from_secs(60);

/// The delay after the first failure of a take-over or a repair. Runs and jobs are stalled meanwhile.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest time for which a due duty is postponed while claims follow each other without a pause.
const BUSY: Duration = Duration::from_secs(1);

/// All duties, most urgent first.
const ALL: [Duty; 4] = [
    Duty::TakeOver,
    Duty::Repair,
    Duty::Retention,
    Duty::QueueDepth,
];

/// See the module documentation. At most one duty runs at a time, so duties use a single connection.
#[derive(Debug)]
pub(super) struct Duties {
    turns: [Turn; ALL.len()],
    at_work: Option<Duty>,
    recurs_every: Duration,
}

#[derive(Debug, Default, Clone, Copy)]
struct Turn {
    /// When the duty is due, or `None` if it runs only on request.
    due: Option<Instant>,
    /// The number of failures in a row.
    failures: u32,
}

/// How a duty ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    /// There is more to do right away.
    More,
    Failed,
}

impl Duties {
    /// Creates the schedule of a driver that starts: every duty but the take-over is due.
    pub(super) fn new(now: Instant) -> Self {
        let mut duties = Self {
            turns: [Turn::default(); ALL.len()],
            at_work: None,
            recurs_every: EVERY,
        };
        duties.want(Duty::Repair, now);
        duties.want(Duty::Retention, now);
        if cfg!(feature = "metrics") {
            duties.want(Duty::QueueDepth, now);
        }
        duties
    }

    /// Sets the interval of retention and counting.
    pub(super) fn recur_every(&mut self, every: Duration) {
        self.recurs_every = every;
    }

    /// Makes a duty due at an instant, unless it is due earlier. A duty that has failed waits for its retry.
    pub(super) fn want(&mut self, duty: Duty, at: Instant) {
        let turn = self.turn(duty);
        if turn.failures == 0 || turn.due.is_none() {
            turn.due = Some(turn.due.map_or(at, |due| due.min(at)));
        }
    }

    /// Returns the duty to start now and marks it as running. While claims follow each other, a duty waits for a
    /// pause, but not forever.
    pub(super) fn start(&mut self, now: Instant, is_busy: bool) -> Option<Duty> {
        if self.at_work.is_some() {
            return None;
        }
        let latest = if is_busy { now.checked_sub(BUSY)? } else { now };
        let is_due = |duty: &Duty| {
            let due = self.turns[*duty as usize].due;
            due.is_some_and(|due| due <= latest)
        };
        let duty = ALL.into_iter().find(is_due)?;
        self.turn(duty).due = None;
        self.at_work = Some(duty);
        Some(duty)
    }

    /// Returns when the next duty is due, or `None` while one is running.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let due = self.turns.iter().filter_map(|turn| turn.due);
        due.min().filter(|_| self.at_work.is_none())
    }

    /// Records how the running duty has ended. Returns `true` if that ends a series of failures.
    pub(super) fn end(&mut self, duty: Duty, ended: Ended, now: Instant) -> bool {
        self.at_work = None;
        let recurs = matches!(duty, Duty::Retention | Duty::QueueDepth);
        let again = recurs.then_some(now + self.recurs_every);
        let turn = self.turn(duty);
        let had_failed = turn.failures > 0;
        turn.failures = if ended == Ended::Failed {
            turn.failures + 1
        } else {
            0
        };
        turn.due = match ended {
            Ended::Failed => Some(now + retry_in(duty, turn.failures)),
            Ended::More => Some(now),
            // The duty may have been requested again meanwhile.
            Ended::Done => turn.due.or(again),
        };
        had_failed && ended != Ended::Failed
    }

    fn turn(&mut self, duty: Duty) -> &mut Turn {
        &mut self.turns[duty as usize]
    }
}

/// Returns how long a duty waits after this many failures in a row.
fn retry_in(duty: Duty, failures: u32) -> Duration {
    match duty {
        Duty::TakeOver | Duty::Repair => {
            let doublings = failures.saturating_sub(1).min(6);
            (FIRST_RETRY * (1 << doublings)).min(EVERY)
        }
        Duty::Retention | Duty::QueueDepth => EVERY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::monotonic_now;

    const SECOND: Duration = Duration::from_secs(1);

    /// Starts every due duty and ends it right away, until none is due. Returns the duties started.
    fn carry_out(duties: &mut Duties, now: Instant, ended: Ended) -> Vec<Duty> {
        let mut started = Vec::new();
        while let Some(duty) = duties.start(now, false) {
            started.push(duty);
            duties.end(duty, ended, now);
        }
        started
    }

    /// The schedule after the initial duties are done.
    fn settled(now: Instant) -> Duties {
        let mut duties = Duties::new(now);
        carry_out(&mut duties, now, Ended::Done);
        duties
    }

    #[test]
    fn retention_is_due_once_a_minute_and_repair_on_request() {
        let now = monotonic_now();
        let mut duties = Duties::new(now);
        let first = carry_out(&mut duties, now, Ended::Done);
        assert_eq!(first[..2], [Duty::Repair, Duty::Retention]);
        assert_eq!(duties.next_due(), Some(now + EVERY));
        assert!(carry_out(&mut duties, now + EVERY - SECOND, Ended::Done).is_empty());
        let again = carry_out(&mut duties, now + EVERY, Ended::Done);
        assert_eq!(again[0], Duty::Retention);
        assert!(!again.contains(&Duty::Repair));
        duties.want(Duty::Repair, now + EVERY);
        assert_eq!(
            carry_out(&mut duties, now + EVERY, Ended::Done),
            [Duty::Repair]
        );
    }

    #[test]
    fn failed_duty_waits_however_often_it_is_requested() {
        let now = monotonic_now();
        for (duty, waits) in [(Duty::TakeOver, FIRST_RETRY), (Duty::Retention, EVERY)] {
            let mut duties = settled(now);
            duties.want(duty, now);
            assert_eq!(duties.start(now, false), Some(duty));
            assert!(!duties.end(duty, Ended::Failed, now));
            duties.want(duty, now + SECOND / 4);
            assert_eq!(duties.start(now + waits - SECOND / 2, false), None);
            let later = now + waits;
            assert_eq!(duties.start(later, false), Some(duty));
            assert!(duties.end(duty, Ended::Done, later), "it works again");
            duties.want(duty, later);
            assert_eq!(duties.start(later, false), Some(duty));
            assert!(!duties.end(duty, Ended::Done, later));
        }
    }

    #[test]
    fn duties_that_stall_jobs_are_retried_sooner_at_first() {
        let waits =
            [1, 2, 3, 6, 7, 100].map(|failures| retry_in(Duty::TakeOver, failures).as_secs());
        assert_eq!(waits, [1, 2, 4, 32, 60, 60]);
        assert_eq!(retry_in(Duty::Retention, 1), EVERY);
    }

    #[test]
    fn one_duty_runs_at_a_time_and_requests_meanwhile_are_kept() {
        let now = monotonic_now();
        let mut duties = settled(now);
        duties.want(Duty::TakeOver, now);
        duties.want(Duty::Repair, now);
        assert_eq!(duties.start(now, false), Some(Duty::TakeOver));
        assert_eq!(duties.start(now, false), None);
        assert_eq!(duties.next_due(), None, "the one at work wakes the driver");
        duties.want(Duty::TakeOver, now);
        duties.end(Duty::TakeOver, Ended::Done, now);
        let left = carry_out(&mut duties, now, Ended::Done);
        assert_eq!(left, [Duty::TakeOver, Duty::Repair]);
    }

    #[test]
    fn more_urgent_duties_run_before_further_pruning() {
        let now = monotonic_now();
        let mut duties = settled(now);
        let later = now + EVERY;
        assert_eq!(duties.start(later, false), Some(Duty::Retention));
        duties.want(Duty::TakeOver, later);
        duties.end(Duty::Retention, Ended::More, later);
        assert_eq!(duties.start(later, false), Some(Duty::TakeOver));
        duties.end(Duty::TakeOver, Ended::Done, later);
        assert_eq!(duties.start(later, false), Some(Duty::Retention));
    }

    #[test]
    fn continuous_claims_postpone_a_duty_by_at_most_a_second() {
        let now = monotonic_now() + EVERY;
        let mut duties = Duties::new(now);
        assert_eq!(duties.start(now, true), None);
        assert_eq!(duties.start(now + BUSY, true), Some(Duty::Repair));
    }

    #[test]
    fn duty_for_later_is_not_due_earlier() {
        let now = monotonic_now();
        let mut duties = settled(now);
        duties.want(Duty::TakeOver, now + SECOND);
        assert_eq!(duties.start(now, false), None);
        assert_eq!(duties.next_due(), Some(now + SECOND));
        assert_eq!(duties.start(now + SECOND, false), Some(Duty::TakeOver));
    }
}
