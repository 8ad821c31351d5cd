use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", concurrencyPolicy = "Allow", if = "prod")]
async fn other_language() {}

#[scheduled_job(cron = "0 6 * * *", overlap = "allow", backoff = "1s-1m", timeout = "never")]
async fn key_of_ours() {}

fn main() {}
