use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", paused = true, paused = "later")]
async fn job() {}

fn main() {}
