use scheduler_core::prelude::*;

#[scheduled_job(cron = "0\t25 \u{2a} * *")]
async fn job() {}

fn main() {}
