//! Random faults at random times.

use std::time::{Duration, Instant};

use scheduler_test_servers::postgres::{Cluster, Stop};

use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::steering::Tally;

/// The injector of faults.
pub(crate) struct Faults<'a> {
    pub(crate) fleet: &'a mut Fleet,
    pub(crate) cluster: Option<&'a Cluster>,
    /// How many nodes there are while nothing is broken.
    pub(crate) nodes: usize,
    pub(crate) lease: Duration,
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
}

impl Faults<'_> {
    /// Breaks one thing after another for this long. Afterwards there are as many nodes as before, and the database
    /// is up.
    pub(crate) fn go_on_for(mut self, time: Duration) -> Tally {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let pause = self.millis(300, 2_500);
            std::thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
            self.fleet.look();
            self.break_something();
            self.fill_up();
        }
        self.tally
    }

    fn break_something(&mut self) {
        let sides = if self.cluster.is_some() { 12 } else { 9 };
        match self.dice.roll(sides) {
            0..=2 => self.kill(1),
            3 => self.kill(2),
            4..=6 => self.freeze(),
            7 | 8 => self.deploy(),
            _ => self.restart_database(),
        }
    }

    fn millis(&mut self, low: i64, high: i64) -> Duration {
        Duration::from_millis(self.dice.between(low, high).unsigned_abs())
    }

    fn kill(&mut self, count: usize) {
        for _ in 0..count.min(self.fleet.len()) {
            let index = self.dice.roll(self.fleet.len());
            self.fleet.kill(index);
            self.tally.count("kills");
        }
        if self.dice.chance(30) {
            // The replacement starts only after a while.
            std::thread::sleep(self.lease / 2);
        }
    }

    fn freeze(&mut self) {
        let index = self.dice.roll(self.fleet.len());
        if self.fleet.len() == 0 || self.fleet.is_frozen(index) {
            return;
        }
        // From a little less than the lease to twice as long.
        let lease = i64::try_from(self.lease.as_millis()).unwrap();
        let time = self.millis(lease * 3 / 4, lease * 2);
        self.fleet.freeze(index, time);
        self.tally.count("freezes");
    }

    /// The new version starts before or after the old one is asked to shut down.
    fn deploy(&mut self) {
        let index = self.dice.roll(self.fleet.len());
        if self.fleet.len() == 0 || self.fleet.is_frozen(index) {
            return;
        }
        if self.dice.chance(50) {
            self.fleet.start();
        }
        self.fleet.end(index);
        self.tally.count("deploys");
    }

    fn restart_database(&mut self) {
        let Some(cluster) = self.cluster else { return };
        match self.dice.roll(3) {
            0 => cluster.stop(Stop::Fast),
            1 => cluster.stop(Stop::Immediate),
            _ => cluster.kill(),
        }
        if self.dice.chance(30) {
            // Long enough for every lease to expire.
            std::thread::sleep(self.lease + Duration::from_millis(500));
        }
        cluster.start_again();
        self.tally.count("restarts of the database");
    }

    fn fill_up(&mut self) {
        while self.fleet.len() < self.nodes {
            self.fleet.start();
        }
    }
}
