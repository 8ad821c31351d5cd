use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 0 31 2 *")]
async fn job() {}

fn main() {}
