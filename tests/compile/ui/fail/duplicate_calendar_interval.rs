use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval(days = 1), calendar_interval(days = 1))]
async fn job() {}

fn main() {}
