use scheduler_core::prelude::*;

#[scheduled_job(interval = "500us")]
async fn job() {}

fn main() {}
