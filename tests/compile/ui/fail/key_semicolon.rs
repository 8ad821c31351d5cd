use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m"; id = "")]
async fn job() {}

fn main() {}
