use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", jitter = "30 secnds")]
async fn job() {}

fn main() {}
