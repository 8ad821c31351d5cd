use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 32 * *")]
async fn job() {}

fn main() {}
