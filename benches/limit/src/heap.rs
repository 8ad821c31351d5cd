//! Jobs in a slab, their instants in a heap, and the loop that runs them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use bench_measure::now_nanos;
use tokio::time::{Instant, sleep_until};

/// In nanoseconds.
pub const SECOND: i64 = 1_000_000_000;

/// The minimum data of a job: its id, its period, and what it runs.
#[derive(Debug)]
pub struct Entry {
    _id: Box<str>,
    period: i64,
    run: fn(i64),
}

impl Entry {
    pub fn new(number: usize, period: i64, run: fn(i64)) -> Self {
        let id = format!("job-{number}").into();
        Self {
            _id: id,
            period,
            run,
        }
    }
}

/// Jobs, ordered by their next fire time.
#[derive(Debug, Default)]
pub struct Heap {
    due: BinaryHeap<Reverse<(i64, u32)>>,
    jobs: Vec<Entry>,
}

impl Heap {
    /// Adds a job that is first due at this instant.
    pub fn push(&mut self, at: i64, job: Entry) {
        self.due.push(Reverse((
            at,
            self.jobs.len().try_into().expect("few enough"),
        )));
        self.jobs.push(job);
    }

    /// Runs each job whenever it is due, in a separate task, forever.
    pub async fn run(mut self) {
        let (wall, monotonic) = (now_nanos(), Instant::now());
        while let Some(mut first) = self.due.peek_mut() {
            let Reverse((at, number)) = *first;
            if at > now_nanos() {
                drop(first);
                let left = Duration::from_nanos((at - wall).try_into().unwrap_or(0));
                sleep_until(monotonic + left).await;
                continue;
            }
            let job = &self.jobs[number as usize];
            *first = Reverse((at + job.period, number));
            drop(first);
            let run = job.run;
            tokio::spawn(async move { run(at) });
        }
    }
}
