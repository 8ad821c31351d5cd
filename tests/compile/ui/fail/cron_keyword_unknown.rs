use scheduler_core::prelude::*;

#[scheduled_job(cron(hours = 6))]
async fn job() {}

fn main() {}
