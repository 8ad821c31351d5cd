use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", name = "")]
async fn job() {}

fn main() {}
