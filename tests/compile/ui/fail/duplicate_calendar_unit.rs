use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(months = 1, months = 2))]
async fn job() {}

fn main() {}
