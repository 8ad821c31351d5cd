use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", max_instances = 0)]
async fn job() {}

fn main() {}
