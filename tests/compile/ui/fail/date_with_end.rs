use scheduler_core::prelude::*;

#[scheduled_job(date = "2026-12-31T23:59:00Z", end = "2027-01-01T00:00:00Z")]
async fn job() {}

fn main() {}
