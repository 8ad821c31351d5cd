use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", end = "2026-01-01T00:00:00Z", end = "2026-01-01T00:00:00Z")]
async fn job() {}

fn main() {}
