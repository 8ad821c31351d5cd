use scheduler_core::prelude::*;

#[scheduled_job(cron = "every 5 minutes")]
async fn job() {}

fn main() {}
