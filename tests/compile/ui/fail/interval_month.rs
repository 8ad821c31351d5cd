use scheduler_core::prelude::*;

#[scheduled_job(interval = "1 month")]
async fn job() {}

fn main() {}
