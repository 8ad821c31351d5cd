use scheduler_core::prelude::*;

#[scheduled_job(cron = "60 6 * * *")]
async fn job() {}

fn main() {}
