use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", crate = 5)]
async fn job() {}

fn main() {}
