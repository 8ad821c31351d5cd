use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", max_instance = 1)]
async fn job() {}

fn main() {}
