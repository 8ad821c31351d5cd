use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", jitter = "30s", jitter = "30s")]
async fn job() {}

fn main() {}
