use scheduler_core::prelude::*;

#[scheduled_job(cron(hour = [6, 18], minute = 0..=5))]
async fn job() {}

fn main() {}
