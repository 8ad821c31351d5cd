use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", start = "2026-01-01T00:00:00Z", start = "2026-01-01T00:00:00Z")]
async fn job() {}

fn main() {}
