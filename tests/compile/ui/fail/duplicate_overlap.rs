use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", overlap = "skip", overlap = "skip")]
async fn job() {}

fn main() {}
