use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", coalesce = "all(0)")]
async fn job() {}

fn main() {}
