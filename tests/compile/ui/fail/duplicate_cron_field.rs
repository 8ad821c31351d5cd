use scheduler_core::prelude::*;

#[scheduled_job(cron(hour = 6, minute = 0, hour = 7))]
async fn job() {}

fn main() {}
