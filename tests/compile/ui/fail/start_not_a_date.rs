use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", start = "soon")]
async fn job() {}

fn main() {}
