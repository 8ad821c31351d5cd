use scheduler_core::prelude::*;

#[scheduled_job(cron = "@dayly")]
async fn job() {}

fn main() {}
