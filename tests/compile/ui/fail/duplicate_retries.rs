use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", retries = 3, retries = 3)]
async fn job() {}

fn main() {}
