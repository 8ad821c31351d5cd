use scheduler_core::prelude::*;

#[scheduled_job(interval = "0s")]
async fn job() {}

fn main() {}
