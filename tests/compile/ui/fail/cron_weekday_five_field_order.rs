use scheduler_core::prelude::*;

#[scheduled_job(cron = "mon 6 * * *")]
async fn job() {}

fn main() {}
