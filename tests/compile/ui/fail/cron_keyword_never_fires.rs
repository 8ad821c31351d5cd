use scheduler_core::prelude::*;

#[scheduled_job(cron(month = 2, day = 30))]
async fn job() {}

fn main() {}
