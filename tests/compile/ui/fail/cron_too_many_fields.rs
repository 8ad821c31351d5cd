use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 0 6 * * * 2026 7")]
async fn job() {}

fn main() {}
