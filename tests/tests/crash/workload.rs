//! Random jobs of every kind.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::{Backoff, Coalesce, Overlap};

use crate::dice::Dice;
use crate::tasks;

/// The time in which jobs fire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: DateTime<Utc>,
    /// The end of the triggers of all jobs that are added here.
    pub(crate) until: DateTime<Utc>,
}

/// Returns a random job with this id.
pub(crate) fn job(id: &str, span: Span, dice: &mut Dice) -> Job {
    let job = with_trigger(with_task(dice).id(id), span, dice);
    let job = match dice.roll(4) {
        0 => job.misfire_grace_time(ms(dice.pick(&[300, 1_000, 5_000]))),
        _ => job,
    };
    let job = match dice.roll(4) {
        0 => job.coalesce(Coalesce::Earliest),
        1 => job.coalesce(Coalesce::All(dice.pick(&[1, 3, 100]))),
        _ => job,
    };
    let job = match dice.roll(3) {
        0 => job.overlap(Overlap::Queue(dice.pick(&[1, 2, 5]))),
        1 => job.overlap(Overlap::CancelRunning),
        _ => job,
    };
    let job = match dice.roll(4) {
        0 => job.jitter(ms(dice.pick(&[50, 400, 1_500]))),
        _ => job,
    };
    let job = match dice.roll(4) {
        0 => job.at_most_once(true),
        1 => job.retries(dice.pick(&[1, 2])).backoff(backoff(dice)),
        _ => job,
    };
    job.max_instances(dice.pick(&[1, 1, 2]))
}

fn with_task(dice: &mut Dice) -> Job {
    let length = dice.pick(&[50, 200, 800]);
    match dice.roll(12) {
        0..=2 => tasks::quick::job(),
        3 => tasks::slow::job(length),
        4 => tasks::polite::job(800),
        5 | 6 => tasks::flaky::job(length),
        7 => tasks::panicky::job(length),
        8 => tasks::slow::job(800).timeout(ms(400)),
        9 => tasks::threaded::job(400).timeout(ms(150)),
        10 => tasks::slow::job(length).executor("narrow"),
        _ => tasks::threaded::job(dice.pick(&[10, 100, 400])),
    }
}

fn with_trigger(job: Job, span: Span, dice: &mut Dice) -> Job {
    if dice.chance(25) {
        // Each fires within any 15 seconds: before the end, wherever that is.
        let expression = dice.pick(&[
            "*/2 * * * * *",
            "1/3 * * * * *",
            "*/5 * * * * *",
            "3-59/7,11,12 * * * * *",
            "0-20,30-40/2,50 * * * * *",
        ]);
        job.cron(expression)
            .timezone("UTC".parse::<Tz>().unwrap())
            .end(span.until)
    } else {
        let every = dice.pick(&[500, 700, 1_000, 1_500, 2_000, 3_000, 5_000]);
        let start = span.from - TimeDelta::microseconds(dice.between(0, 60_000_000));
        job.interval(ms(every)).start(start).end(span.until)
    }
}

fn backoff(dice: &mut Dice) -> Backoff {
    Backoff::exponential(ms(dice.pick(&[50, 300])), ms(1_000))
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
