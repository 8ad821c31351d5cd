use scheduler_core::prelude::*;

#[scheduled_job(cron = "*/0 * * * *")]
async fn job() {}

fn main() {}
