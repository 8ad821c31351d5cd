use scheduler_core::prelude::*;

#[scheduled_job(date = "2026-02-30T00:00:00Z")]
async fn job() {}

fn main() {}
