use scheduler_core::prelude::*;

#[scheduled_job(cron = "30 2 * * *", gap = "skipp")]
async fn job() {}

fn main() {}
