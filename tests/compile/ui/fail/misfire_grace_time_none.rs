use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", misfire_grace_time = None)]
async fn job() {}

fn main() {}
