use scheduler_core::prelude::*;

#[scheduled_job(or(cron = "0 6 * * *", cron = "0 18 * * *"), timezone = "UTC")]
async fn job() {}

fn main() {}
