use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", executor = "")]
async fn job() {}

fn main() {}
