use scheduler_core::prelude::*;

#[scheduled_job(or(interval = "5m", cron = "@daily"), or(interval = "5m", cron = "@daily"))]
async fn job() {}

fn main() {}
