use scheduler_core::prelude::*;

#[scheduled_job(cron("0 6 * * *", hour = 7))]
async fn job() {}

fn main() {}
