use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(days = 1, time = "24:30"))]
async fn job() {}

fn main() {}
