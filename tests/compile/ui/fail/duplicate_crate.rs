use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", crate = scheduler_core, crate = scheduler_core)]
async fn job() {}

fn main() {}
