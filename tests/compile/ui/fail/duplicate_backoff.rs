use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", backoff = "1s..1m", backoff = "1s..1m")]
async fn job() {}

fn main() {}
