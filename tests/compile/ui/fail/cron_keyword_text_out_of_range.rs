use scheduler_core::prelude::*;

#[scheduled_job(cron(hour = "6,25"))]
async fn job() {}

fn main() {}
