use scheduler_core::prelude::*;

#[scheduled_job(interval = "1h", gap = "skip")]
async fn job() {}

fn main() {}
