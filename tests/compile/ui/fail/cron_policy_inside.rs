use scheduler_core::prelude::*;

#[scheduled_job(cron(hour = 6, retries = 3, id = "x"))]
async fn job() {}

fn main() {}
