use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = "a")]
#[scheduled_job = "1h"]
async fn job() {}

fn main() {}
