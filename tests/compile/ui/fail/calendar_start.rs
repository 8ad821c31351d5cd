use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(months = 1, start_date = "2026-02-30"))]
async fn job() {}

fn main() {}
