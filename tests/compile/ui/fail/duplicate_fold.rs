use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", fold = "both", fold = "both")]
async fn job() {}

fn main() {}
