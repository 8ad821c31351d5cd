use scheduler_core::prelude::*;

#[scheduled_job(cron = "*/90 * * * *")]
async fn job() {}

fn main() {}
