use scheduler_core::prelude::*;

#[scheduled_job(and(interval = "5m", cron = "* 6 * * *"))]
async fn job() {}

fn main() {}
