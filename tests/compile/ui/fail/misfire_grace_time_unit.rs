use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", misfire_grace_time = "5")]
async fn job() {}

fn main() {}
