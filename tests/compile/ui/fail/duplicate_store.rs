use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", store = "a", store = "a")]
async fn job() {}

fn main() {}
