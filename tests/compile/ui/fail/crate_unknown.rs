use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 3, crate = nowhere)]
async fn job(ctx: JobContext) {
    let _ = ctx;
}

fn main() {}
