use scheduler_core::prelude::*;

#[scheduled_job(interval = "5M")]
async fn job() {}

fn main() {}
