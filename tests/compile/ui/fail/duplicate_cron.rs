use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", cron = "0 6 * * *")]
async fn job() {}

fn main() {}
