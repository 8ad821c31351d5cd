use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = format!("{}-{}", "a", "b"))]
async fn job() {}

fn main() {}
