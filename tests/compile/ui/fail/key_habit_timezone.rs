use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", tz = "Asia/Shanghai")]
async fn job() {}

fn main() {}
