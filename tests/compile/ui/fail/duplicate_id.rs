use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = "a", id = "a")]
async fn job() {}

fn main() {}
