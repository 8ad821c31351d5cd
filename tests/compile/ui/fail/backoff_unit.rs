use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 3, backoff = "1s..1")]
async fn job() {}

fn main() {}
