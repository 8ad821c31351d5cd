use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", max_instances = 1, max_instances = 1)]
async fn job() {}

fn main() {}
