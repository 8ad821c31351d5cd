use scheduler_core::prelude::*;

#[scheduled_job(calendar_interval = "1 month")]
async fn job() {}

fn main() {}
