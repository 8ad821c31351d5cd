use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(ctx = 42))]
async fn job(ctx: JobContext) {
    let _ = ctx;
}

fn main() {}
