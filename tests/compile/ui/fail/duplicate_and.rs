use scheduler_core::prelude::*;

#[scheduled_job(and(cron = "@hourly", cron = "@daily"), and(cron = "@hourly", cron = "@daily"))]
async fn job() {}

fn main() {}
