use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", timeout("5m"))]
async fn job() {}

fn main() {}
