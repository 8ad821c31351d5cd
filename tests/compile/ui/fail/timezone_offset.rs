use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", timezone = "+08:00")]
async fn job() {}

fn main() {}
