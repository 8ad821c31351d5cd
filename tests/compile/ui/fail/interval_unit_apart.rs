use scheduler_core::prelude::*;

#[scheduled_job(fixedRate = 5, timeUnit = TimeUnit::MINUTES)]
async fn other_language() {}

#[scheduled_job(interval = 5, unit = "minutes")]
async fn key_of_ours() {}

fn main() {}
