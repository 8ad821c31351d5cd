use scheduler_core::prelude::*;

#[scheduled_job(interval = "5 minuts")]
async fn job() {}

fn main() {}
