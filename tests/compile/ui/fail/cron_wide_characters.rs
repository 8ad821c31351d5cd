use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * 月 25")]
async fn job() {}

fn main() {}
