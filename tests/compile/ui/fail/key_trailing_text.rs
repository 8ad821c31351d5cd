use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m" "10m", id = "x" again)]
async fn job() {}

fn main() {}
