use scheduler_core::prelude::*;

#[scheduled_job(cron = "30 2 * * *", fold = "last")]
async fn job() {}

fn main() {}
