//! Jobs with every mix of policies, what their bodies do, and the calls that are made meanwhile.

use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_core::{Backoff, Coalesce, Error, Overlap, PolicyPatch, RunId, RunNow, Trigger};

use crate::dice::Dice;
use crate::journal::{AtWork, Stage};
use crate::process::{Millis, time_of_day};

/// Takes some time and succeeds, fails, or runs until it is stopped.
#[task]
pub(crate) async fn act(number: u64, ctx: JobContext, stage: Data<Stage>) -> Result<(), String> {
    let fire = ctx.scheduled_for().timestamp_micros().unsigned_abs();
    let mut dice = Dice::new(number ^ fire.rotate_left(20) ^ (u64::from(ctx.attempt()) << 56));
    let at_work = AtWork::begin(&ctx, stage);
    let takes = match dice.roll(20) {
        0..8 => 0,
        8..16 => dice.between(1, 900),
        16..18 => dice.between(900, 2_600),
        18 => dice.between(4_000, 9_000),
        _ => 60_000,
    };
    let work = tokio::time::sleep(Duration::from_millis(takes.unsigned_abs()));
    if dice.chance(70) {
        tokio::select! {
            biased;
            () = ctx.cancelled() => {
                at_work.end("heeded");
                return Err("asked to stop".into());
            }
            () = work => {}
        }
    } else if takes > 0 {
        work.await;
    }
    at_work.end("done");
    if dice.chance(25) {
        Err("no luck".into())
    } else {
        Ok(())
    }
}

/// Returns how many runs of a job may be live at once; every job with this id has this limit.
pub(crate) fn max_instances(number: u64) -> u32 {
    1 + u32::from(number % 3 == 2)
}

pub(crate) fn id_of(number: u64) -> String {
    format!("job-{number}")
}

/// The number in a job's id.
pub(crate) fn number_of(id: &str) -> u64 {
    id.rsplit('-')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

pub(crate) fn any_trigger(dice: &mut Dice, now: Millis) -> Trigger {
    match dice.roll(10) {
        0 => Trigger::date(time_of_day(now + dice.between(50, 8_000))),
        1..4 => {
            let expression = dice.pick(&[
                "*/2 * * * * *",
                "*/3 * * * * *",
                "1-59/5 * * * * *",
                "*/10 * * * * *",
            ]);
            Trigger::cron(expression).unwrap()
        }
        _ => {
            let every = dice.pick(&[700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000]);
            Trigger::interval(millis(every)).unwrap()
        }
    }
}

fn any_policies(dice: &mut Dice, number: u64) -> PolicyPatch {
    let overlap = match dice.roll(4) {
        0 => Overlap::Skip,
        1 => Overlap::CancelRunning,
        _ => Overlap::Queue(u32::try_from(1 + dice.roll(3)).unwrap_or(1)),
    };
    let coalesce = match dice.roll(4) {
        0 => Coalesce::Latest,
        1 => Coalesce::Earliest,
        _ => Coalesce::All(u32::try_from(1 + dice.roll(5)).unwrap_or(1)),
    };
    let at_most_once = dice.chance(25);
    let retries = if at_most_once { 0 } else { dice.roll(3) };
    let grace = dice.pick(&[None, None, Some(1_000), Some(4_000)]);
    PolicyPatch::new()
        .max_instances(max_instances(number))
        .overlap(overlap)
        .coalesce(coalesce)
        .at_most_once(at_most_once)
        .retries(u32::try_from(retries).unwrap_or(0))
        .backoff(Backoff::constant(millis(dice.pick(&[50, 400, 1_500]))))
        .misfire_grace_time(grace.map(millis))
        // Without a timeout, a body that runs until it is stopped would hold its slot forever.
        .timeout(millis(dice.pick(&[600, 1_500, 10_000])))
        .jitter(millis(dice.pick(&[0, 0, 300, 2_000])))
        .executor(dice.pick(&["default", "default", "default", "narrow"]))
}

pub(crate) fn any_job(dice: &mut Dice, number: u64, now: Millis) -> Job {
    act::job(number)
        .id(id_of(number))
        .trigger(any_trigger(dice, now))
        .policies(any_policies(dice, number))
        .replace_existing(dice.chance(50))
}

/// A call that a person or a program makes to a scheduler.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Add(Box<Job>),
    Remove(String),
    Pause(String),
    Resume(String),
    Reschedule(String, Trigger),
    RunNow(String),
    Cancel(RunId),
}

impl Call {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add_job",
            Self::Remove(_) => "remove_job",
            Self::Pause(_) => "pause_job",
            Self::Resume(_) => "resume_job",
            Self::Reschedule(..) => "reschedule_job",
            Self::RunNow(_) => "run_job_now",
            Self::Cancel(_) => "cancel_run",
        }
    }

    pub(crate) fn about(&self) -> String {
        match self {
            Self::Add(_) => String::new(),
            Self::Cancel(run) => run.to_string(),
            Self::Remove(id)
            | Self::Pause(id)
            | Self::Resume(id)
            | Self::Reschedule(id, _)
            | Self::RunNow(id) => id.clone(),
        }
    }

    /// Makes the call, and returns the answer as text.
    pub(crate) async fn make(self, scheduler: Scheduler) -> String {
        let told = |answer: Result<String, Error>| answer.unwrap_or_else(|error| error.to_string());
        let limit = Duration::from_secs(20);
        let work = async {
            let done = |_| "done".to_owned();
            match self {
                Self::Add(job) => told(scheduler.add_job(*job).await.map(|job| job.id.to_string())),
                Self::Remove(id) => told(scheduler.remove_job(&id).await.map(done)),
                Self::Pause(id) => told(scheduler.pause_job(&id).await.map(done)),
                Self::Resume(id) => told(scheduler.resume_job(&id).await.map(done)),
                Self::Reschedule(id, trigger) => {
                    told(scheduler.reschedule_job(&id, trigger).await.map(done))
                }
                Self::RunNow(id) => told(scheduler.run_job_now(&id).await.map(|run| match run {
                    RunNow::Started(run) => format!("started {run}"),
                    RunNow::Queued(run) => format!("queued {run}"),
                    other => format!("{other:?}"),
                })),
                Self::Cancel(run) => {
                    told(scheduler.cancel_run(run).await.map(|()| "done".to_owned()))
                }
            }
        };
        let answer = tokio::time::timeout(limit, work).await;
        answer.unwrap_or_else(|_| "no answer".to_owned())
    }
}
