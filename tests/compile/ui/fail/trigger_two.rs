use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", cron = "0 6 * * *")]
async fn job() {}

fn main() {}
