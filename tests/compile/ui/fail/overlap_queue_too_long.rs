use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", overlap = "queue(10001)")]
async fn job() {}

fn main() {}
