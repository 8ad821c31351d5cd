//! Several nodes over one store, and everything that happens to them: one seed, one course of events.

use std::sync::Arc;

use scheduler_core::RunId;

use crate::checks::{self, Rule, Violation};
use crate::dice::Dice;
use crate::faults::Weather;
use crate::journal::Journal;
use crate::model_store::Database;
use crate::model_store::without::Without;
use crate::node::{Doom, Freeze, Node};
use crate::process::{Millis, Process, time_of_day};
use crate::trace::{Entry, What};
use crate::workload::{Call, any_job, any_trigger, id_of};

/// Nothing goes wrong before this instant.
const BEGIN_FAULTS: Millis = 2_000;
/// Nothing goes wrong after this instant.
const END_FAULTS: Millis = 24_000;
/// The instant by which everything must have recovered.
const JUDGEMENT: Millis = 46_000;
/// How long an orderly shutdown may take.
const LAST_SHUTDOWN: Millis = 8_000;

/// The result of one seed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) trace: Vec<Entry>,
    /// What should not have happened.
    pub(crate) violations: Vec<Violation>,
    pub(crate) bodies: usize,
}

/// A place where a node runs, or will run again.
struct Place {
    node: Option<Node>,
    starts_at: Millis,
    clock_error: Millis,
    calm_at: Millis,
}

/// How the clocks of the processes behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// All are right.
    Right,
    /// Each is wrong by a constant error; fire times follow the clock of the store.
    Skewed,
    /// They are set back and forth; fire times follow the clock of the store.
    Set,
    /// They are set back and forth, and fire times follow them.
    SetAndBelieved,
}

/// What may go wrong under this seed.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
struct Mix {
    crashes: bool,
    freezes: bool,
    clocks: Clocks,
    lines: bool,
    calls: bool,
    shutdowns: bool,
    lost_wakes: usize,
}

pub(crate) struct World {
    dice: Dice,
    database: Arc<Database>,
    journal: Arc<Journal>,
    places: Vec<Place>,
    /// Every process that ever existed.
    processes: Vec<Arc<Process>>,
    now: Millis,
    slice: Millis,
    mix: Mix,
    next_event: Millis,
    jobs: u64,
    /// Clocks to be set to the same error again, for a clock that jumps back and forth.
    bounces: Vec<(Millis, usize, Millis)>,
    violations: Vec<Violation>,
}

/// Runs the simulation of one seed.
pub(crate) fn simulate(seed: u64, without: Without) -> Outcome {
    let mut world = World::new(seed, without);
    world.live_until(JUDGEMENT);
    world.violations.extend(checks::of_the_present(
        &world.database.tables(),
        &world.journal.bodies(),
        world.now,
    ));
    world.stop_all();
    world.end()
}

impl World {
    fn new(seed: u64, without: Without) -> Self {
        let mut dice = Dice::new(seed);
        let mix = Mix {
            crashes: dice.chance(60),
            freezes: dice.chance(60),
            clocks: dice.pick(&[
                Clocks::Right,
                Clocks::Right,
                Clocks::Skewed,
                Clocks::Set,
                Clocks::SetAndBelieved,
            ]),
            lines: dice.chance(60),
            calls: dice.chance(70),
            shutdowns: dice.chance(50),
            lost_wakes: dice.pick(&[0, 10, 50, 100]),
        };
        let places = (0..2 + dice.roll(3))
            .map(|index| Place {
                node: None,
                starts_at: if index == 0 {
                    0
                } else {
                    dice.between(0, 1_500)
                },
                clock_error: match mix.clocks {
                    Clocks::Skewed => dice.between(-9_000_000, 9_000_000),
                    _ => 0,
                },
                calm_at: 0,
            })
            .collect();
        Self {
            places,
            slice: dice.pick(&[20, 60, 150, 300]),
            mix,
            database: Database::new(without),
            journal: Arc::default(),
            processes: Vec::new(),
            now: 0,
            next_event: BEGIN_FAULTS,
            jobs: 0,
            bounces: Vec::new(),
            violations: Vec::new(),
            dice,
        }
    }

    fn note_of(&self, place: usize, what: What) {
        let process = self.places[place].node.as_ref();
        let ordinal = process.map(|node| node.process.ordinal);
        self.database.trace.note(self.now, ordinal, what);
    }

    fn live_until(&mut self, end: Millis) {
        while self.now < end {
            self.begin_slice();
            // Longer slices are enough once nothing goes wrong.
            let slice = if self.now < END_FAULTS {
                self.slice
            } else {
                300
            };
            let until = (self.now + slice).min(end);
            self.run_slice(until);
            self.now = until;
        }
    }

    /// Handles what happens between two slices.
    fn begin_slice(&mut self) {
        for index in 0..self.places.len() {
            self.care_for(index);
        }
        self.deliver_wakes();
        if self.now < END_FAULTS {
            self.add_first_jobs();
            while self.next_event <= self.now {
                self.next_event += self.dice.between(50, 1_200);
                if self.now >= BEGIN_FAULTS {
                    self.befall();
                }
            }
            let now = self.now;
            for (_, place, error) in self
                .bounces
                .extract_if(.., |(at, ..)| *at <= now)
                .collect::<Vec<_>>()
            {
                self.set_clock(place, error);
            }
        }
    }

    /// Starts, thaws and ends the node of a place when it is due.
    fn care_for(&mut self, index: usize) {
        let (now, is_over) = (self.now, self.now >= END_FAULTS);
        let place = &mut self.places[index];
        if (is_over || place.calm_at <= now)
            && let Some(node) = &place.node
        {
            node.process.state().weather = Weather::Calm;
        }
        if is_over {
            place.starts_at = place.starts_at.min(now);
            if place.clock_error != 0 && self.mix.clocks != Clocks::Skewed {
                self.set_clock(index, 0);
            }
        }
        let place = &mut self.places[index];
        let Some(node) = &mut place.node else {
            if place.starts_at <= now {
                self.start(index);
            }
            return;
        };
        if is_over {
            node.doom = None;
        }
        if let Some(freeze) = node.freeze
            && (is_over || freeze.until <= now)
        {
            node.freeze = None;
            node.thaw(freeze, now);
            self.note_of(index, What::Thawed);
        }
        let Some(node) = &mut self.places[index].node else {
            return;
        };
        if node.is_overdue(now) {
            let ordinal = node.process.ordinal;
            let text =
                format!("process {ordinal} has not stopped at {now}, long after its deadline");
            self.violations.push(Violation::new(Rule::Stops, text));
            node.stops_by = Some(Millis::MAX);
        }
        if node.has_stopped() {
            self.note_of(index, What::Exited);
            let after = self.dice.between(50, 4_000);
            self.end_node(index, after);
        }
    }

    fn start(&mut self, index: usize) {
        let ordinal = u32::try_from(self.processes.len()).unwrap_or(u32::MAX);
        let place = &mut self.places[index];
        let node = Node::start(
            ordinal,
            (self.now, place.clock_error),
            matches!(self.mix.clocks, Clocks::Skewed | Clocks::Set),
            &mut self.dice,
            &self.database,
            &self.journal,
        );
        self.processes.push(node.process.clone());
        place.node = Some(node);
        self.note_of(index, What::Begun);
    }

    fn end_node(&mut self, index: usize, starts_after: Millis) {
        let place = &mut self.places[index];
        place.starts_at = self.now + starts_after;
        if let Some(node) = place.node.take() {
            node.end();
        }
    }

    fn deliver_wakes(&mut self) {
        let (notices, wakes) = {
            let mut tables = self.database.tables();
            (std::mem::take(&mut tables.notices), tables.wakes.clone())
        };
        for (from, due) in notices {
            for (process, wake) in &wakes {
                if *process == from {
                    continue;
                }
                if self.dice.chance(self.mix.lost_wakes) {
                    continue;
                }
                match due {
                    Some(due) => wake.wake_for(due),
                    None => wake.wake(),
                };
            }
        }
    }

    /// Runs every node to the end of the slice; statements are executed in the order of their instants, and those of
    /// one instant in any order.
    fn run_slice(&mut self, until: Millis) {
        loop {
            let mut first: Option<(Millis, usize)> = None;
            let mut ties = 0;
            for index in 0..self.places.len() {
                let Some(node) = &mut self.places[index].node else {
                    continue;
                };
                if node.freeze.is_some() {
                    continue;
                }
                while node.now < until && node.process.waiting() == 0 {
                    node.run(until);
                }
                if node.process.waiting() == 0 {
                    continue;
                }
                let earliest = first.map_or(Millis::MAX, |(at, _)| at);
                if node.now < earliest {
                    first = Some((node.now, index));
                    ties = 1;
                } else if node.now == earliest {
                    ties += 1;
                    if self.dice.roll(ties) == 0 {
                        first = Some((node.now, index));
                    }
                }
            }
            let Some((_, index)) = first else { return };
            if !self.meets_its_doom(index) {
                let Some(node) = &mut self.places[index].node else {
                    continue;
                };
                let waiting = node.process.waiting();
                let chosen = if waiting > 1 {
                    self.dice.roll(waiting)
                } else {
                    0
                };
                node.open(chosen);
                if node.process.waiting() == 0 {
                    node.run(until);
                }
            }
        }
    }

    /// Returns `true` if the node crashes or freezes instead of carrying out its next statement.
    fn meets_its_doom(&mut self, index: usize) -> bool {
        let Some(node) = &mut self.places[index].node else {
            return false;
        };
        let Some((left, doom)) = node.doom else {
            return false;
        };
        if left > 0 {
            node.doom = Some((left - 1, doom));
            return false;
        }
        node.doom = None;
        match doom {
            Doom::Crash => {
                self.note_of(index, What::Crashed { at_gate: true });
                let after = self.dice.between(50, 6_000);
                self.end_node(index, after);
            }
            Doom::Freeze { length, is_suspend } => {
                let until = node.now + length;
                node.freeze = Some(Freeze { until, is_suspend });
                self.note_of(index, What::Frozen { until, is_suspend });
            }
        }
        true
    }

    /// Makes something happen to one of the nodes.
    fn befall(&mut self) {
        let index = self.dice.roll(self.places.len());
        let mix = self.mix;
        match self.dice.roll(12) {
            0 if mix.crashes => {
                self.note_of(index, What::Crashed { at_gate: false });
                let after = self.dice.between(50, 6_000);
                self.end_node(index, after);
            }
            1 if mix.crashes => {
                let left = self.dice.roll(12);
                self.doom(index, left, Doom::Crash);
            }
            2 if mix.freezes => {
                let (length, is_suspend) = (self.any_freeze(), self.dice.chance(30));
                if let Some(node) = &mut self.places[index].node
                    && node.freeze.is_none()
                {
                    let until = self.now + length;
                    node.freeze = Some(Freeze { until, is_suspend });
                    self.note_of(index, What::Frozen { until, is_suspend });
                }
            }
            3 if mix.freezes => {
                let (length, is_suspend) = (self.any_freeze(), self.dice.chance(30));
                let left = self.dice.roll(12);
                self.doom(index, left, Doom::Freeze { length, is_suspend });
            }
            4 if mix.clocks == Clocks::Set || mix.clocks == Clocks::SetAndBelieved => {
                self.step_clock(index);
            }
            5 | 6 if mix.lines => self.change_weather(index),
            7 if mix.shutdowns => {
                let limit = self.dice.pick(&[0, 500, 3_000, 10_000]);
                if let Some(node) = &mut self.places[index].node
                    && node.stops_by.is_none()
                {
                    node.shut_down(limit);
                    let call = "shutdown";
                    let job = limit.to_string();
                    self.note_of(index, What::Api { call, job });
                }
            }
            8..12 if mix.calls => self.call(index),
            _ => {}
        }
    }

    fn any_freeze(&mut self) -> Millis {
        if self.dice.chance(40) {
            self.dice.between(50, 1_500)
        } else {
            self.dice.between(2_500, 9_000)
        }
    }

    fn doom(&mut self, index: usize, left: usize, doom: Doom) {
        if let Some(node) = &mut self.places[index].node {
            node.doom = Some((u32::try_from(left).unwrap_or(0), doom));
        }
    }

    fn step_clock(&mut self, index: usize) {
        let hour = 3_600_000;
        let error = match self.dice.roll(6) {
            0 => self.dice.between(-400, 400),
            1 => self.dice.between(-6_000, 6_000),
            2 => self.dice.between(-3 * hour, -hour),
            _ => self.dice.between(hour + 600_000, 3 * hour),
        };
        self.set_clock(index, error);
        // The clock jumps forward, back, and forward again.
        if error > hour {
            let back = self.now + self.dice.between(200, 3_000);
            let again = back + self.dice.between(200, 3_000);
            self.bounces.push((back, index, 0));
            self.bounces.push((again, index, error));
        }
    }

    fn set_clock(&mut self, index: usize, error: Millis) {
        self.places[index].clock_error = error;
        if let Some(node) = &self.places[index].node {
            node.process.set_clock_error(error);
        }
        self.note_of(index, What::ClockSet { offset_ms: error });
    }

    fn change_weather(&mut self, index: usize) {
        let weather = self.dice.pick(&[
            Weather::Rough,
            Weather::Rough,
            Weather::Rough,
            Weather::Down,
            Weather::Silent,
            Weather::Deaf,
        ]);
        let length = self.dice.between(200, 6_000);
        let place = &mut self.places[index];
        if let Some(node) = &place.node {
            node.process.state().weather = weather;
            place.calm_at = self.now + length;
            self.note_of(index, What::Weather(weather.name()));
        }
    }

    fn add_first_jobs(&mut self) {
        let wanted = 5 + u64::from(self.mix.crashes) * 3;
        while self.jobs < wanted {
            let Some(index) = self.places.iter().position(|place| {
                let node = place.node.as_ref();
                node.is_some_and(|node| node.scheduler().is_some())
            }) else {
                return;
            };
            let job = any_job(&mut self.dice, self.jobs, self.now);
            self.jobs += 1;
            self.ask(index, Call::Add(Box::new(job)));
        }
    }

    fn ask(&mut self, index: usize, call: Call) {
        self.ask_after(index, call, 0);
    }

    fn ask_after(&mut self, index: usize, call: Call, after: Millis) {
        let what = What::Api {
            call: call.name(),
            job: call.about(),
        };
        self.note_of(index, what);
        if let Some(node) = &self.places[index].node {
            node.ask(call, after);
        }
    }

    fn call(&mut self, index: usize) {
        let number = self.dice.next() % self.jobs.max(1);
        let id = id_of(number);
        match self.dice.roll(10) {
            0 => {
                let number = if self.dice.chance(50) {
                    number
                } else {
                    self.jobs
                };
                self.jobs = self.jobs.max(number + 1);
                let job = any_job(&mut self.dice, number, self.now);
                self.ask(index, Call::Add(Box::new(job)));
            }
            1 => self.ask(index, Call::Remove(id)),
            2 => self.ask(index, Call::Pause(id)),
            3 => self.ask(index, Call::Resume(id)),
            4 => {
                let trigger = any_trigger(&mut self.dice, self.now);
                self.ask(index, Call::Reschedule(id, trigger));
            }
            5 | 6 => {
                // From several nodes at once, possibly just when the job is due.
                let after = self.due_in(&id).filter(|_| self.dice.chance(70));
                for index in 0..self.places.len() {
                    let call = Call::RunNow(id.clone());
                    self.ask_after(index, call, after.unwrap_or(0));
                }
            }
            7 => self.ask(index, Call::RunNow(id)),
            _ => {
                let open: Vec<RunId> = self.database.tables().open.keys().copied().collect();
                if !open.is_empty() {
                    let run = self.dice.pick(&open);
                    self.ask(index, Call::Cancel(run));
                }
            }
        }
    }

    /// Returns the time until a job is due, or `None` if that is long.
    fn due_in(&self, id: &str) -> Option<Millis> {
        let at = self
            .database
            .tables()
            .jobs
            .get(id)?
            .record
            .next_run_time()?;
        let left = (at - time_of_day(self.now)).num_milliseconds();
        (0..8_000).contains(&left).then_some(left)
    }

    /// Shuts down all remaining nodes in order.
    fn stop_all(&mut self) {
        let end = self.now + LAST_SHUTDOWN;
        for place in &mut self.places {
            if let Some(node) = &mut place.node
                && node.stops_by.is_none()
            {
                node.shut_down(1_000);
            }
            place.starts_at = Millis::MAX;
        }
        while self.now < end && self.places.iter().any(|place| place.node.is_some()) {
            for index in 0..self.places.len() {
                let node = self.places[index].node.as_ref();
                if node.is_some_and(Node::has_stopped) {
                    self.note_of(index, What::Exited);
                    self.end_node(index, Millis::MAX / 2);
                }
            }
            let until = self.now + self.slice;
            self.run_slice(until);
            self.now = until;
        }
        for index in 0..self.places.len() {
            if let Some(node) = &self.places[index].node {
                let ordinal = node.process.ordinal;
                let text = format!("process {ordinal} did not stop when it was told to");
                self.violations.push(Violation::new(Rule::Stops, text));
                self.end_node(index, Millis::MAX / 2);
            }
        }
        let tables = self.database.tables();
        self.violations.extend(checks::of_the_end(&tables));
    }

    fn end(mut self) -> Outcome {
        let tables = self.database.tables();
        let bodies = self.journal.bodies();
        let found = checks::of_the_past(&tables, &bodies, &self.processes, self.mix.clocks);
        self.violations.extend(found);
        let bodies = bodies.len();
        drop(tables);
        Outcome {
            trace: self.database.trace.take(),
            violations: self.violations,
            bodies,
        }
    }
}
