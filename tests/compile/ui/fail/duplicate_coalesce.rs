use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", coalesce = "latest", coalesce = "latest")]
async fn job() {}

fn main() {}
