use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", coalesce = false)]
async fn job() {}

fn main() {}
