use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(user_id = 42))]
async fn job() {}

fn main() {}
