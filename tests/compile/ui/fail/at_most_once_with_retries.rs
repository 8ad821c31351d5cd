use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", at_most_once = true, retries = 3)]
async fn job() {}

fn main() {}
