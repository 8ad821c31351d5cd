use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", timeout = "0s")]
async fn job() {}

fn main() {}
