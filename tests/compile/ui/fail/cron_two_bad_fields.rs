use scheduler_core::prelude::*;

#[scheduled_job(cron = "60 25 * * *")]
async fn job() {}

fn main() {}
