//! `delay_timer`: adding jobs, and firing them. A call that adds a job puts it into a channel and returns; the time
//! until the job is in its wheel is not visible.
//!
//! `peer-delay_timer jobs|same COUNT SECONDS`

use std::time::Duration;

use bench_measure::{Adding, Arguments, Report, arguments, fired_again, now_nanos, start_after, watch};
use delay_timer::prelude::*;

fn main() {
    let Arguments {
        scenario,
        count,
        seconds,
        ..
    } = arguments();
    let report = match scenario.as_str() {
        "jobs" => jobs(count, seconds),
        "same" => same(count, seconds),
        _ => panic!("jobs|same"),
    };
    report.finish()
}

/// Adds jobs that are due in an hour, then idles.
fn jobs(count: usize, seconds: u64) -> Report {
    let timer = DelayTimerBuilder::default().build();
    let adding = Adding::begin();
    for number in 0..count {
        let mut builder = TaskBuilder::default();
        builder
            .set_task_id(number as u64 + 1)
            .set_frequency_repeated_by_seconds(3_600);
        timer
            .add_task(builder.spawn_async_routine(|| async {}).unwrap())
            .unwrap();
    }
    adding.done(count, seconds)
}

/// Fires each of the given number of jobs every second.
fn same(count: usize, seconds: u64) -> Report {
    // It counts seconds from its own start, which should coincide with the start of a second.
    let second = start_after(Duration::from_millis(20)) - now_nanos();
    std::thread::sleep(Duration::from_nanos(second.unsigned_abs()));
    let timer = DelayTimerBuilder::default().build();
    for number in 0..count {
        let mut builder = TaskBuilder::default();
        builder
            .set_task_id(number as u64 + 1)
            .set_frequency_repeated_by_seconds(1);
        let fire = move || async move { fired_again(number) };
        timer
            .add_task(builder.spawn_async_routine(fire).unwrap())
            .unwrap();
    }
    watch(start_after(Duration::from_secs(3 + count as u64 / 50_000)), count, seconds)
}
