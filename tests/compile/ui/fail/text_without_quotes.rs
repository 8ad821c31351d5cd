use scheduler_core::prelude::*;

#[scheduled_job(cron = 0 6 * * mon)]
async fn job() {}

fn main() {}
