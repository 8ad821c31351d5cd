use scheduler_core::prelude::*;

#[scheduled_job(cron(minute = */5))]
async fn job() {}

fn main() {}
