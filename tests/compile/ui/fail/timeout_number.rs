use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", timeout = 600)]
async fn job() {}

fn main() {}
