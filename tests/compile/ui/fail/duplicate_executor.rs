use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", executor = "a", executor = "a")]
async fn job() {}

fn main() {}
