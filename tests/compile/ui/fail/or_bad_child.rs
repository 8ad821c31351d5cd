use scheduler_core::prelude::*;

#[scheduled_job(or(cron = "0 25 * * *", interval = "5"))]
async fn job() {}

fn main() {}
