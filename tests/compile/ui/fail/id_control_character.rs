use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = "a\nb")]
async fn job() {}

fn main() {}
