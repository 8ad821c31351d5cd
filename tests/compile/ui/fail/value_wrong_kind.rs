use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", max_instances = "2")]
async fn job() {}

fn main() {}
