use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * 13 *")]
async fn job() {}

fn main() {}
