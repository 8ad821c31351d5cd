use scheduler_core::prelude::*;

#[scheduled_job(interval = "1h", minutes = 30)]
async fn longer() {}

#[scheduled_job(cron = "0 6 * * *", day_of_week = "mon")]
async fn neither() {}

#[scheduled_job(any(cron = "0 6 * * *", cron = "0 18 * * *"))]
async fn either() {}

fn main() {}
