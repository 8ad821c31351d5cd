use scheduler_core::prelude::*;

#[scheduled_job(interval = "1h", timezone = "Europe/Berlin")]
async fn job() {}

fn main() {}
