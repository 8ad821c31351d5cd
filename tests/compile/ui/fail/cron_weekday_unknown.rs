use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * mno")]
async fn job() {}

fn main() {}
