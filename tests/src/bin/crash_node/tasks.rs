//! The tasks that the nodes run. How an attempt goes is derived from its run id and number, on whichever node it
//! runs.

use std::time::Duration;

use scheduler_core::prelude::*;

use crate::notes::Notes;

/// Returns a number below `sides` that is fixed for this attempt.
fn draw(ctx: &JobContext, sides: u64) -> u64 {
    let (run, attempt) = ctx.fencing_token();
    let [.., a, b, c, d] = run.as_u128().to_be_bytes();
    let low = u64::from(u32::from_be_bytes([a, b, c, d]));
    let mixed = (low ^ u64::from(attempt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) % sides
}

/// Returns a duration between a tenth of `ms` and all of it.
fn part_of(ctx: &JobContext, ms: u64) -> Duration {
    Duration::from_millis(ms / 10 + draw(ctx, ms - ms / 10 + 1))
}

/// Ends at once, with a value to record.
#[task]
pub(crate) async fn quick(ctx: JobContext, notes: Data<Notes>) -> u32 {
    let begun = notes.begin(&ctx);
    let value = ctx.attempt();
    begun.end();
    value
}

/// Takes a while, and ignores cancellation.
#[task]
pub(crate) async fn slow(ms: u64, ctx: JobContext, notes: Data<Notes>) {
    let begun = notes.begin(&ctx);
    tokio::time::sleep(part_of(&ctx, ms)).await;
    begun.end();
}

/// Takes a while, and stops when cancelled.
#[task]
pub(crate) async fn polite(
    ms: u64,
    ctx: JobContext,
    notes: Data<Notes>,
) -> Result<(), &'static str> {
    let begun = notes.begin(&ctx);
    let result = tokio::select! {
        () = ctx.cancelled() => Err("stopped"),
        () = tokio::time::sleep(part_of(&ctx, ms)) => Ok(()),
    };
    begun.end();
    result
}

/// Fails every other time.
#[task]
pub(crate) async fn flaky(ms: u64, ctx: JobContext, notes: Data<Notes>) -> Result<u64, String> {
    let begun = notes.begin(&ctx);
    tokio::time::sleep(part_of(&ctx, ms)).await;
    let drawn = draw(&ctx, 1_000);
    begun.end();
    if drawn.is_multiple_of(2) {
        Ok(drawn)
    } else {
        Err(format!("failed on {drawn}"))
    }
}

/// Panics every third time.
#[task]
#[allow(clippy::panic, reason = "what it is for")]
pub(crate) async fn panicky(ms: u64, ctx: JobContext, notes: Data<Notes>) {
    let begun = notes.begin(&ctx);
    tokio::time::sleep(part_of(&ctx, ms)).await;
    let drawn = draw(&ctx, 3);
    begun.end();
    assert!(drawn > 0, "on purpose");
}

/// Holds a thread of the executor for a while.
#[task]
pub(crate) fn threaded(ms: u64, ctx: JobContext, notes: Data<Notes>) {
    let begun = notes.begin(&ctx);
    std::thread::sleep(part_of(&ctx, ms));
    begun.end();
}

/// A static job: reconciled whenever a node starts.
#[scheduled_job(
    interval = "1s",
    id = "own-interval",
    overlap = "queue(2)",
    retries = 1
)]
pub(crate) async fn own_interval(ctx: JobContext, notes: Data<Notes>) {
    let begun = notes.begin(&ctx);
    tokio::time::sleep(part_of(&ctx, 600)).await;
    begun.end();
}

/// Another static job, which is never retried once it may have begun.
#[scheduled_job(cron = "*/2 * * * * *", id = "own-cron", at_most_once = true)]
pub(crate) async fn own_cron(ctx: JobContext, notes: Data<Notes>) {
    let begun = notes.begin(&ctx);
    tokio::time::sleep(part_of(&ctx, 600)).await;
    begun.end();
}
