use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = "a", name = "x")]
#[scheduled_job(interval = "1h", id = "b", name = "y")]
async fn job() {}

fn main() {}
