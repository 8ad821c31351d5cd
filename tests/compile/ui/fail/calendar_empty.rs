use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(time = "02:30"))]
async fn job() {}

fn main() {}
