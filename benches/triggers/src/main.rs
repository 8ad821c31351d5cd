//! Cron expressions: parsing them, and finding the next fire time, in UTC and in New York.
//!
//! `bench-triggers SUBJECT/next-utc|next-new-york|parse MILLISECONDS 0`: nanoseconds per call, for each of the
//! expressions in `expressions.txt`; the median of eleven batches, each of which takes at least that long.

mod limit;
mod subjects;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bench_measure::{Arguments, Report, arguments};
use chrono::{DateTime, Utc};
use subjects::{Call, call};

fn main() {
    let Arguments {
        scenario, count, ..
    } = arguments();
    let at_least = Duration::from_millis(count as u64);
    let (subject, what) = scenario.split_once('/').expect("SUBJECT/WHAT");
    let starts = starts();
    let mut report = Report::new();
    for (name, expression) in expressions() {
        let nanos = match call(subject, what, expression) {
            Call::Next(next) => {
                let mut round = starts.iter().cycle();
                time(at_least, || {
                    next(black_box(*round.next().unwrap_or(&DateTime::UNIX_EPOCH)))
                })
            }
            Call::Parse(parse) => time(at_least, || parse(black_box(expression))),
        };
        report = report.with(name, nanos);
    }
    report.finish()
}

/// Returns names and crontab expressions with five fields.
fn expressions() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../expressions.txt")
        .lines()
        .filter_map(|line| line.split_once('='))
}

/// Returns start instants spread over a year, so that no branch is always predicted correctly.
fn starts() -> Vec<DateTime<Utc>> {
    (0..64)
        .filter_map(|step| DateTime::from_timestamp(1_767_225_600 + step * 487_651, 123_456_000))
        .collect()
}

/// Returns the nanoseconds of a call.
fn time(at_least: Duration, mut call: impl FnMut()) -> f64 {
    let mut turns = 1;
    let mut batch = |turns: u32| {
        let begun = Instant::now();
        for _ in 0..turns {
            call();
        }
        begun.elapsed()
    };
    while batch(turns) < at_least {
        turns *= 2;
    }
    let mut batches: Vec<Duration> = (0..11).map(|_| batch(turns)).collect();
    batches.sort();
    batches[batches.len() / 2].as_nanos() as f64 / f64::from(turns)
}
