use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", timeout = "10m", timeout = "10m")]
async fn job() {}

fn main() {}
