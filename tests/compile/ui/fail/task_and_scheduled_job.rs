use scheduler_core::prelude::*;

#[task]
#[scheduled_job(interval = "5m")]
async fn job() {}

fn main() {}
