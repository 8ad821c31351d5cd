use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", paused = "true")]
async fn job() {}

fn main() {}
