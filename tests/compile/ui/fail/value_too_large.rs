use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 4294967296)]
async fn job() {}

fn main() {}
