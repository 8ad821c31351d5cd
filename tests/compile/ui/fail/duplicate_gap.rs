use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", gap = "skip", gap = "skip")]
async fn job() {}

fn main() {}
