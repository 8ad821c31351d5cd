//! Run it: `cargo run -p examples --bin dynamic_jobs` (takes about five seconds).
//!
//! Jobs that are not in the code: typed jobs that are added, paused, resumed, rescheduled, modified, run manually and
//! removed while the scheduler runs, also by another job. At the end, mistakes that a user can make, with the
//! messages that they would see.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(clippy::disallowed_methods, reason = "the demo waits for its jobs")]

use std::time::Duration;

use anyhow::Context;
use scheduler_core::prelude::*;
use scheduler_core::{
    Arguments, Backoff, Error, JobPatch, JobRecord, Overlap, PolicyPatch, RunFilter, RunNow,
    SkippedFilter,
};

/// Sends mails; it is injected into the task, whereas the other parameters are arguments of each job.
struct Mailer {
    from: &'static str,
}

impl Mailer {
    fn send(&self, to: &str, text: &str) {
        println!("      mail from {} to {to}: {text}", self.from);
    }
}

/// A task has no trigger: its jobs are created at run time, by `send_reminder::job(…)`.
#[task]
async fn send_reminder(user: String, text: String, mailer: Data<Mailer>) {
    mailer.send(&user, &text);
}

/// Adds jobs itself: one reminder per user, all or none.
#[task]
async fn plan_the_day(users: Vec<String>, ctx: JobContext) -> Result<usize, Error> {
    let Some(scheduler) = ctx.scheduler() else {
        return Ok(0); // a context made by a unit test
    };
    let jobs = users.into_iter().map(|user| {
        send_reminder::job(user.clone(), "lunch".into())
            .id(format!("lunch-{user}"))
            .cron("0 12 * * mon-fri")
            .timezone(Tz::Europe__Berlin)
    });
    Ok(scheduler.add_jobs(jobs).await?.len())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let scheduler = Scheduler::builder()
        .data(Mailer {
            from: "reminders@example.com",
        })
        .start()
        .await?;

    add_pause_and_resume(&scheduler).await?;
    reschedule_and_modify(&scheduler).await?;
    run_now_and_by_name(&scheduler).await?;
    println!("\nREMOVED");
    print(&scheduler.remove_job("reminder-ada").await?);
    let left = scheduler.get_jobs().await?.len();
    println!("\n{left} jobs are left");

    make_mistakes(&scheduler).await;

    let report = scheduler
        .shutdown(Shutdown::wait_up_to(Duration::from_secs(5)))
        .await;
    println!("\nSTOPPED: {report}");
    Ok(())
}

async fn add_pause_and_resume(scheduler: &Scheduler) -> anyhow::Result<()> {
    println!("ADDED: the compiler checks the arguments");
    let job = scheduler
        .add_job(
            send_reminder::job("ada".into(), "stand-up".into())
                .id("reminder-ada")
                .interval("1s")
                .retries(3)
                .backoff(Backoff::constant(Duration::from_secs(10))),
        )
        .await?;
    print(&job);
    tokio::time::sleep(Duration::from_millis(2_100)).await;

    println!("\nPAUSED, with a note; fire times of the pause are skipped, not replayed");
    print(
        &scheduler
            .pause_job_with_note("reminder-ada", "on holiday")
            .await?,
    );
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    println!("\nRESUMED");
    print(&scheduler.resume_job("reminder-ada").await?);
    for skipped in scheduler
        .list_skipped(&SkippedFilter::new().job("reminder-ada").limit(10))
        .await?
        .items
    {
        println!("      {skipped}");
    }
    Ok(())
}

async fn reschedule_and_modify(scheduler: &Scheduler) -> anyhow::Result<()> {
    println!("\nRESCHEDULED: a trigger may be a schedule of the `cron` crate (feature `cron`)");
    let schedule: cron::Schedule = "0 0 8 * * Mon-Fri *".parse()?;
    let trigger = Trigger::from(schedule);
    print(&scheduler.reschedule_job("reminder-ada", trigger).await?);

    println!("\nRESCHEDULED: or come from text, as from a web form");
    let trigger = "cron 45 8 * * mon-fri timezone=Europe/Berlin".parse()?;
    print(&scheduler.reschedule_job("reminder-ada", trigger).await?);

    println!("\nMODIFIED: arguments and policies; the fire times stay");
    let patch = JobPatch::new()
        .arguments(
            Arguments::new()
                .with("user", "ada")?
                .with("text", "stand-up, room 5")?,
        )
        .policies(PolicyPatch::new().overlap(Overlap::Queue(1)));
    let job = scheduler.modify_job("reminder-ada", patch).await?;
    print(&job);
    println!(
        "      arguments {}, overlap {}",
        job.arguments, job.policies.overlap
    );
    Ok(())
}

async fn run_now_and_by_name(scheduler: &Scheduler) -> anyhow::Result<()> {
    println!("\nRUN NOW, besides its fire times");
    match scheduler.run_job_now("reminder-ada").await? {
        RunNow::Started(run) => println!("      run {run} starts"),
        other => println!("      {other:?}"),
    }
    tokio::time::sleep(Duration::from_millis(200)).await;

    println!("\nADDED BY NAME, as an HTTP handler does, to run once, now");
    scheduler
        .add_job(
            Job::new("plan_the_day")
                .id("plan")
                .argument("users", ["bob", "eve"])
                .trigger(Trigger::now()),
        )
        .await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for job in scheduler.get_jobs().await? {
        print(&job);
    }
    let runs = scheduler
        .list_runs(&RunFilter::new().job("plan"))
        .await?
        .items;
    let run = runs.first().context("the plan has run")?;
    println!(
        "      run of `plan`: {:?}, value {:?}",
        run.state, run.value
    );
    Ok(())
}

fn jobs_with_a_mistake() -> [(&'static str, Job); 11] {
    let reminder = || send_reminder::job("ada".into(), "tea".into()).id("tea");
    [
        (
            "an unknown task",
            Job::new("send_remainder").id("tea").interval("1h"),
        ),
        ("no trigger", reminder()),
        ("a bad cron field", reminder().cron("0 25 * * mon")),
        ("a cron that never fires", reminder().cron("0 0 31 2 *")),
        (
            "a date in the past",
            reminder().date("2020-01-01T00:00:00Z"),
        ),
        ("a bad duration", reminder().interval("5 minuts")),
        (
            "an id that is taken",
            reminder().id("lunch-bob").interval("1h"),
        ),
        (
            "an unknown executor",
            reminder().interval("1h").executor("mail"),
        ),
        (
            "a misspelt argument",
            Job::new("send_reminder")
                .id("tea")
                .interval("1h")
                .argument("usr", "ada"),
        ),
        (
            "an argument of another type",
            Job::new("send_reminder")
                .id("tea")
                .interval("1h")
                .argument("user", 7)
                .argument("text", ""),
        ),
        (
            "policies that contradict",
            reminder().interval("1h").at_most_once(true).retries(1),
        ),
    ]
}

/// Every mistake is an error value, whose text names the job and a remedy.
async fn make_mistakes(scheduler: &Scheduler) {
    println!("\nMISTAKES, as their author sees them\n");
    for (what, job) in jobs_with_a_mistake() {
        match scheduler.add_job(job).await {
            Ok(job) => println!("  {what}: taken, as {}", job.id),
            Err(error) => println!(
                "  {what}:\n    {}",
                error.to_string().replace('\n', "\n    ")
            ),
        }
    }
    let outcomes = [
        (
            "pausing what is not there",
            scheduler.pause_job("lunch-bbo").await,
        ),
        (
            "a trigger that never fires again",
            scheduler
                .reschedule_job("lunch-bob", Trigger::date(chrono::DateTime::UNIX_EPOCH))
                .await,
        ),
    ];
    for (what, outcome) in outcomes {
        match outcome {
            Ok(job) => println!("  {what}: done, to {}", job.id),
            Err(error) => println!("  {what}:\n    {error}"),
        }
    }
}

fn print(job: &JobRecord) {
    let state = match (job.paused.as_deref(), job.next_run_time()) {
        (Some(note), _) => format!("paused: {note}"),
        (None, Some(at)) => format!("next {}", at.format("%a %F %T UTC")),
        (None, None) => "finished".to_owned(),
    };
    println!("  {:<13} {state:<30} {}", job.id.as_str(), job.trigger);
}
