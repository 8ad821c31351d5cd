use scheduler_core::prelude::*;

#[scheduled_job(cron(day_of_week = "1-5", hour = 6))]
async fn job() {}

fn main() {}
