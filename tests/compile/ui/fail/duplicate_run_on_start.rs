use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", run_on_start = true, run_on_start = true)]
async fn job() {}

fn main() {}
