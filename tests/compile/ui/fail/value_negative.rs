use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = -1)]
async fn job() {}

fn main() {}
