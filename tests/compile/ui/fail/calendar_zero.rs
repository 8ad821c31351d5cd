use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(months = 0))]
async fn job() {}

fn main() {}
