use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(month = 1))]
async fn job() {}

fn main() {}
