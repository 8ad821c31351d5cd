use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", start = "2026-06-01T00:00:00Z", end = "2026-05-01T00:00:00Z")]
async fn job() {}

fn main() {}
