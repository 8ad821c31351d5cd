use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 17-9 * * *")]
async fn job() {}

fn main() {}
