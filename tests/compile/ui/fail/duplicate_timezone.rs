use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", timezone = "UTC", timezone = "UTC")]
async fn job() {}

fn main() {}
