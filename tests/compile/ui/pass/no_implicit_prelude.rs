//! The output needs nothing of the prelude.
#![no_implicit_prelude]
#![deny(warnings)]

use ::scheduler_core::{Data, JobContext, scheduled_job, task};
use ::std::{option::Option, result::Result, string::String};

#[scheduled_job(
    interval = "5m",
    timeout = "none",
    coalesce = "all(3)",
    backoff = "1s..2s",
    args(text = "x", count = 1)
)]
async fn job(
    text: String,
    count: u8,
    #[arg(default)] level: u8,
    #[arg(default = 3)] limit: u8,
    ctx: JobContext,
    data: Data<u8>,
) -> Result<u8, String> {
    let _ = (text, level, limit, ctx, data);
    Result::Ok(count)
}

#[task]
fn sync_task(note: Option<u8>) {
    let _ = note;
}

fn main() {}
