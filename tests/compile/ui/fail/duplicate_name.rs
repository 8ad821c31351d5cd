use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", name = "a", name = "a")]
async fn job() {}

fn main() {}
