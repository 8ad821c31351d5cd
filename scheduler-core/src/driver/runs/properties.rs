//! Property tests: whatever happens to them, each run is in exactly one state, and each started attempt ends exactly
//! once.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::clock::monotonic_now;
use crate::id::JobId;
use crate::policy::Policies;
use crate::run::{AttemptOutcome, RunKind};
use crate::task::arguments::Arguments;
use crate::task::data::DataMap;

/// A step of the test. Numbers select one of the runs or attempts to which the step applies.
#[derive(Debug, Clone)]
enum Step {
    Claim {
        runs: usize,
        permits: usize,
        is_answer_lost: bool,
    },
    ManualRun {
        is_late: bool,
    },
    CallUnanswered,
    TimePasses {
        seconds: u64,
        permits: usize,
    },
    NotStarted(usize),
    AttemptEnds {
        attempt: usize,
        outcome: Outcome,
        is_reported_twice: bool,
    },
    ThreadReturns(usize),
    Write {
        is_answer_lost: bool,
    },
    Release {
        is_answer_lost: bool,
    },
    ListHeld,
    CancelRequested(usize),
    /// The database reports that this node no longer holds a run, for whatever reason.
    Lose(usize),
    Stopping,
    Draining,
    DeadlinePassed(Cancellation),
    Fenced,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Succeeded,
    Failed,
    ThreadGoesOn,
}

fn any_step() -> impl Strategy<Value = Step> {
    let pick = 0_usize..8;
    let outcome = prop_oneof![
        1 => Just(Outcome::Succeeded),
        2 => Just(Outcome::Failed),
        2 => Just(Outcome::ThreadGoesOn)
    ];
    let level = [Cancellation::Requested, Cancellation::Forced];
    let level = prop::sample::select(level.to_vec());
    prop_oneof![
        6 => (1_usize..4, 0_usize..4, prop::bool::weighted(0.2)).prop_map(
            |(runs, permits, is_answer_lost)| Step::Claim { runs, permits, is_answer_lost }
        ),
        2 => any::<bool>().prop_map(|is_late| Step::ManualRun { is_late }),
        1 => Just(Step::CallUnanswered),
        6 => (0_u64..4, 0_usize..4)
            .prop_map(|(seconds, permits)| Step::TimePasses { seconds, permits }),
        1 => pick.clone().prop_map(Step::NotStarted),
        10 => (pick.clone(), outcome, prop::bool::weighted(0.2)).prop_map(
            |(attempt, outcome, is_reported_twice)| Step::AttemptEnds {
                attempt,
                outcome,
                is_reported_twice,
            }
        ),
        5 => pick.clone().prop_map(Step::ThreadReturns),
        10 => prop::bool::weighted(0.2).prop_map(|is_answer_lost| Step::Write { is_answer_lost }),
        4 => prop::bool::weighted(0.2).prop_map(|is_answer_lost| Step::Release { is_answer_lost }),
        3 => Just(Step::ListHeld),
        5 => pick.clone().prop_map(Step::CancelRequested),
        2 => pick.prop_map(Step::Lose),
        1 => Just(Step::Stopping),
        1 => Just(Step::Draining),
        1 => level.prop_map(Step::DeadlinePassed),
        1 => Just(Step::Fenced),
    ]
}

/// An attempt that an executor is carrying out.
#[derive(Debug, Clone)]
struct AtWork {
    started: Arc<StartedRun>,
    /// If `true`, the attempt has timed out and its thread continues.
    has_timed_out: bool,
}

/// What a store knows of a run that a node holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    attempt: u32,
    failures: u32,
    /// If `true`, the attempt is recorded and its thread continues.
    awaits_thread: bool,
    is_tried_again: bool,
}

/// The runs of a node, with a store and executors that have no rules of their own.
struct World {
    runs: Runs,
    now: Instant,
    node: u64,
    created: u128,
    /// The runs that the store holds for this node.
    held: HashMap<RunId, Held>,
    /// The runs that the store took from this node.
    lost: HashSet<RunId>,
    /// The ends that the store has recorded.
    recorded: HashSet<(RunId, u32, bool)>,
    at_work: Vec<AtWork>,
    /// The permits that were taken and not used.
    permits: usize,
    /// How often each started attempt has ended.
    ends: HashMap<(RunId, u32), usize>,
    /// The runs that have ended for good.
    ended: HashSet<RunId>,
}

/// Returns the state of the run whose current attempt is `started`.
fn state_of(runs: &Runs, started: &Arc<StartedRun>) -> Option<State> {
    let entry = runs.entries.get(started.index)?;
    let present = entry.run.started()?;
    Arc::ptr_eq(present, started).then_some(entry.state)
}

fn run(run_id: RunId, held: Held) -> ClaimedRun {
    ClaimedRun {
        run_id,
        job_id: JobId::new("job").unwrap(),
        task: "task".into(),
        kind: RunKind::Scheduled,
        scheduled_for: DateTime::UNIX_EPOCH,
        due_at: DateTime::UNIX_EPOCH,
        attempt: held.attempt,
        failures: held.failures,
        arguments: Arguments::default(),
        policies: Arc::new(Policies {
            retries: 2,
            ..Policies::default()
        }),
    }
}

impl World {
    fn new() -> Self {
        Self {
            runs: Runs::new(NodeId::new(0), Home::without_scheduler(DataMap::default())),
            now: monotonic_now(),
            node: 0,
            created: 0,
            held: HashMap::new(),
            lost: HashSet::new(),
            recorded: HashSet::new(),
            at_work: Vec::new(),
            permits: 0,
            ends: HashMap::new(),
            ended: HashSet::new(),
        }
    }

    /// Has the store hold a new run for this node.
    fn new_run(&mut self) -> ClaimedRun {
        self.created += 1;
        let held = Held {
            attempt: 1,
            failures: 0,
            awaits_thread: false,
            is_tried_again: false,
        };
        let run_id = RunId::from_u128(self.created);
        self.held.insert(run_id, held);
        run(run_id, held)
    }

    fn on(&mut self, event: Event<'_>) {
        let mut commands = Vec::new();
        self.runs.on(event, &mut |command| commands.push(command));
        for command in commands {
            self.carry_out(command);
        }
        self.check();
    }

    /// Does the same for an event that may take permits, of which there is a limited number.
    fn with_permits(
        &mut self,
        count: usize,
        event: impl for<'a> FnOnce(TakePermit<'a>) -> Event<'a>,
    ) {
        let mut taken = 0;
        let mut take = |_: &str| {
            if taken == count {
                return Permit::Full;
            }
            taken += 1;
            Permit::Taken
        };
        let mut commands = Vec::new();
        let push = &mut |command| commands.push(command);
        self.runs.on(event(&mut take), push);
        self.permits += taken;
        for command in commands {
            self.carry_out(command);
        }
        assert_eq!(self.permits, 0, "each permit is for one attempt");
        self.check();
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Start(started) => {
                let run = &started.run;
                let held = self.held.get(&run.run_id);
                let is_next = held.is_some_and(|held| held.attempt == run.attempt);
                let may_start = held.is_some_and(|held| is_next && !held.awaits_thread);
                assert!(may_start || self.lost.contains(&run.run_id));
                let start = self.ends.insert((run.run_id, run.attempt), 0);
                assert!(start.is_none(), "started once");
                self.permits -= 1;
                self.at_work.push(AtWork {
                    started,
                    has_timed_out: false,
                });
            }
            Command::Stop(started, _) => {
                let mut at_work = self.at_work.iter();
                let is_known = at_work.any(|at_work| Arc::ptr_eq(&at_work.started, &started));
                assert!(is_known, "an executor has what is to be stopped");
            }
            Command::Publish(end) => {
                if !end.was_waiting {
                    self.end(end.run.fencing_token());
                }
                if let Verdict::Final(_) = end.verdict {
                    let run_id = end.run.run.run_id;
                    assert!(self.ended.insert(run_id), "ended for good once");
                }
            }
            Command::PublishLate(run) => {
                // A run that was cancelled while waiting had no attempt that could end.
                if self.ends.get(&run.fencing_token()) == Some(&0) {
                    self.end(run.fencing_token());
                }
            }
            Command::LogDisowned(_)
            | Command::LogUnknownExecutor(_)
            | Command::LogUnconfirmed(_) => {}
        }
    }

    fn end(&mut self, attempt: (RunId, u32)) {
        let ends = self.ends.get_mut(&attempt).expect("it was started");
        *ends += 1;
        assert_eq!(*ends, 1, "ended once");
    }

    fn pick(&self, number: usize, is_chosen: impl Fn(&AtWork) -> bool) -> Option<usize> {
        let mut chosen = (0..self.at_work.len()).filter(|index| is_chosen(&self.at_work[*index]));
        chosen.nth(number)
    }

    fn pick_held(&self, number: usize) -> Option<RunId> {
        let mut held: Vec<_> = self.held.keys().copied().collect();
        held.sort_unstable();
        held.get(number).copied()
    }

    fn attempt_ends(&mut self, index: usize, outcome: Outcome, is_reported_twice: bool) {
        let started = self.at_work[index].started.clone();
        let body_runs = matches!(outcome, Outcome::ThreadGoesOn);
        if body_runs {
            self.at_work[index].has_timed_out = true;
        } else {
            self.at_work.remove(index);
        }
        for _ in 0..=usize::from(is_reported_twice) {
            let outcome = match outcome {
                Outcome::Succeeded => AttemptOutcome::Succeeded(None),
                Outcome::Failed => AttemptOutcome::Failed("no".into()),
                Outcome::ThreadGoesOn => AttemptOutcome::TimedOut(Duration::from_secs(1)),
            };
            self.report(
                &started,
                ReportEvent::Ended {
                    outcome,
                    is_asked: false,
                    body_runs,
                },
            );
        }
    }

    fn report(&mut self, started: &Arc<StartedRun>, event: ReportEvent) {
        self.on(Event::Reported(vec![Report {
            run: started.clone(),
            started_at: DateTime::UNIX_EPOCH,
            finished_at: DateTime::UNIX_EPOCH,
            event,
        }]));
    }

    fn thread_returns(&mut self, index: usize) {
        let started = self.at_work.remove(index).started;
        self.report(&started, ReportEvent::BodyReturned);
    }

    /// Records one end as the contract of stores requires: once, however often it is repeated.
    fn record(&mut self, finished: &Finished) -> bool {
        let is_body = matches!(finished.end, End::Body);
        let end = (finished.run_id, finished.attempt, is_body);
        let is_recorded = self.recorded.contains(&end);
        let held = self.held.get_mut(&finished.run_id);
        let Some(held) = held.filter(|held| held.attempt == finished.attempt) else {
            return is_recorded;
        };
        let goes_on = match &finished.end {
            End::Body if !held.awaits_thread => return is_recorded,
            End::Body => {
                held.awaits_thread = false;
                held.is_tried_again
            }
            End::Attempt(end) => {
                held.awaits_thread = end.body_runs;
                held.is_tried_again = matches!(end.verdict, Verdict::Retry(_));
                held.is_tried_again || end.body_runs
            }
        };
        self.recorded.insert(end);
        if !goes_on {
            self.held.remove(&finished.run_id);
        } else if !held.awaits_thread {
            held.attempt += 1;
            held.failures += 1;
        }
        true
    }

    fn write(&mut self, is_answer_lost: bool) {
        let finished = self.runs.unwritten();
        let answers: Vec<bool> = finished
            .iter()
            .map(|finished| self.record(finished))
            .collect();
        if !is_answer_lost {
            self.on(Event::Recorded(answers, self.now));
        }
    }

    fn release(&mut self, is_answer_lost: bool) {
        for run in self.runs.to_release() {
            self.held.remove(&run);
        }
        if !is_answer_lost {
            self.on(Event::Released);
        }
    }

    // One function, because it is a list of what each kind of step does.
    fn take(&mut self, step: Step) {
        match step {
            Step::Claim {
                runs,
                permits,
                is_answer_lost,
            } => {
                self.on(Event::ClaimSent);
                let runs = (0..runs).map(|_| self.new_run()).collect();
                if !is_answer_lost {
                    self.with_permits(permits, |take| Event::ClaimAnswered(runs, take));
                }
            }
            Step::ManualRun { is_late: false } => {
                let run = self.new_run();
                self.on(Event::Requested(NodeId::new(self.node), run));
            }
            Step::ManualRun { is_late: true } => {
                let run = self.new_run();
                self.held.remove(&run.run_id);
                self.on(Event::Requested(NodeId::new(u64::MAX), run));
            }
            Step::CallUnanswered => {
                self.new_run();
                self.on(Event::AnswerLost);
            }
            Step::TimePasses { seconds, permits } => {
                self.now += Duration::from_secs(seconds);
                let now = self.now;
                self.with_permits(permits, |take| Event::Ready(now, take));
            }
            Step::NotStarted(number) => {
                // The driver notices that at once, before anything else can happen.
                let started = |at_work: &AtWork| {
                    state_of(&self.runs, &at_work.started)
                        == Some(State::Running { is_asked: false })
                };
                if let Some(index) = self.pick(number, started) {
                    let started = self.at_work.remove(index).started;
                    self.ends.remove(&started.fencing_token());
                    self.on(Event::NotStarted(started));
                }
            }
            Step::AttemptEnds {
                attempt,
                outcome,
                is_reported_twice,
            } => {
                if let Some(index) = self.pick(attempt, |at_work| !at_work.has_timed_out) {
                    self.attempt_ends(index, outcome, is_reported_twice);
                }
            }
            Step::ThreadReturns(number) => {
                if let Some(index) = self.pick(number, |at_work| at_work.has_timed_out) {
                    self.thread_returns(index);
                }
            }
            Step::Write { is_answer_lost } => self.write(is_answer_lost),
            Step::Release { is_answer_lost } => self.release(is_answer_lost),
            Step::ListHeld => {
                let mut held: Vec<RunId> = self.held.keys().copied().collect();
                held.sort_unstable();
                self.on(Event::Held(held, HashSet::new()));
                assert!(!self.runs.is_unconfirmed());
            }
            Step::CancelRequested(number) => {
                if let Some(run) = self.pick_held(number) {
                    self.on(Event::CancelRequested(vec![run], DateTime::UNIX_EPOCH));
                }
            }
            Step::Lose(number) => {
                if let Some(run) = self.pick_held(number) {
                    self.held.remove(&run);
                    self.lost.insert(run);
                }
            }
            Step::Stopping => self.on(Event::Stopping),
            Step::Draining => self.on(Event::Draining),
            Step::DeadlinePassed(level) => self.on(Event::DeadlinePassed(&[], level)),
            Step::Fenced => {
                self.held.clear();
                self.node += 1;
                self.on(Event::Fenced(NodeId::new(self.node)));
                assert_eq!(self.runs.live(), 0);
            }
        }
    }

    /// Checks that each run is in exactly one state: the lists of the states agree with the entries, and no run has
    /// two entries under one identity.
    // One function, since all of its counts are made in one pass over the runs.
    fn check(&self) {
        let runs = &self.runs;
        let mut live = HashSet::new();
        for (index, entry) in runs.entries.iter() {
            let key = (entry.state != State::Fenced).then_some(entry.run.run_id);
            assert!(key.is_none_or(|run_id| live.insert(run_id)), "one entry");
            let lists = [
                runs.waiting.iter().filter(|one| **one == index).count(),
                runs.backing_off
                    .values()
                    .filter(|one| **one == index)
                    .count(),
                usize::from(
                    runs.unwritten
                        .iter()
                        .any(|report| report.run.index == index),
                ),
                runs.releasing.iter().filter(|one| **one == index).count(),
            ];
            let expected = match entry.state {
                State::Claimed => [1, 0, 0, 0],
                State::BackingOff(at) => {
                    assert!(runs.backing_off.contains_key(&(at, entry.run.run_id)));
                    [0, 1, 0, 0]
                }
                State::Unwritten(_) => [0, 0, 1, 0],
                State::Releasing => [0, 0, 0, 1],
                State::Running { .. } | State::AwaitingThread(_) | State::Fenced => [0; 4],
            };
            assert_eq!(lists, expected, "{entry:?}");
            let at_work = self.at_work.iter();
            let at_work = at_work
                .filter(|at_work| {
                    entry
                        .run
                        .started()
                        .is_some_and(|started| Arc::ptr_eq(started, &at_work.started))
                })
                .count();
            match entry.state {
                State::Running { .. } | State::AwaitingThread(_) | State::Fenced => {
                    assert_eq!(at_work, 1, "{entry:?}");
                }
                State::Unwritten(_) => assert!(at_work <= 1),
                _ => assert_eq!(at_work, 0, "{entry:?}"),
            }
        }
        let lists = runs.waiting.len() + runs.backing_off.len() + runs.releasing.len();
        assert!(
            lists <= runs.entries.iter().count(),
            "no list names what is gone"
        );
        let is_live = |(_, entry): &(u32, &Entry)| entry.state.is_live();
        assert_eq!(runs.live(), runs.entries.iter().filter(is_live).count());
        assert!(runs.unconfirmed.iter().all(|run| !live.contains(run)));
        assert_eq!(runs.are_drained(&[]), {
            runs.live() == 0 && runs.releasing.is_empty()
        });
        let is_known = |run: &RunId| live.contains(run) || runs.unconfirmed.contains(run);
        assert!(runs.is_unconfirmed() || self.held.keys().all(is_known));
        assert!(!runs.is_draining || (runs.waiting.is_empty() && runs.backing_off.is_empty()));
        let has_entry = |at_work: &AtWork| state_of(runs, &at_work.started).is_some();
        assert!(self.at_work.iter().all(has_entry), "who reports is known");
    }

    /// Brings everything to its end.
    fn wind_down(&mut self) {
        self.on(Event::Draining);
        while !self.at_work.is_empty() {
            if self.at_work[0].has_timed_out {
                self.thread_returns(0);
            } else {
                self.attempt_ends(0, Outcome::Failed, false);
            }
        }
        self.write(false);
        self.release(false);
        assert_eq!(self.runs.entries.iter().count(), 0);
        assert!(self.ends.values().all(|ends| *ends == 1), "{:?}", self.ends);
        self.take(Step::ListHeld);
        self.release(false);
        assert!(self.held.is_empty() && !self.runs.concern_the_store());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_happens_each_run_is_in_one_state_and_each_attempt_ends_once(
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.wind_down();
    }
}
