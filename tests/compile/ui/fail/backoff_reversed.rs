use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 3, backoff = "1m..1s")]
async fn job() {}

fn main() {}
