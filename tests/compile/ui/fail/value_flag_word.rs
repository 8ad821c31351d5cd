use scheduler_core::prelude::*;

#[scheduled_job(interval = -5, run_on_start = yes)]
async fn job() {}

fn main() {}
