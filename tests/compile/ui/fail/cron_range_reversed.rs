use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 0 6 1 1 * 2029-2027")]
async fn job() {}

fn main() {}
