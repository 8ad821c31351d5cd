use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", colour = "red")]
async fn job() {}

fn main() {}
