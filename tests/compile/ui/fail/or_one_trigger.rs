use scheduler_core::prelude::*;

#[scheduled_job(or(cron = "0 6 * * *"))]
async fn job() {}

fn main() {}
