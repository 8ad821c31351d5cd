use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 3, backoff = "exponential")]
async fn job() {}

fn main() {}
