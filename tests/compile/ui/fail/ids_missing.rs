use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m")]
#[scheduled_job(interval = "1h", id = "hourly")]
async fn job() {}

fn main() {}
