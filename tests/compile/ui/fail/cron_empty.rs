use scheduler_core::prelude::*;

#[scheduled_job(cron = "")]
async fn job() {}

fn main() {}
