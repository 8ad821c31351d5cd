use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", overlap = "replace")]
async fn job() {}

fn main() {}
