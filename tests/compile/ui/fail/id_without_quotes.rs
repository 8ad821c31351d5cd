use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = cleanup)]
async fn job() {}

fn main() {}
