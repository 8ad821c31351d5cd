use scheduler_core::prelude::*;

#[scheduled_job(interval = "1.5h")]
async fn job() {}

fn main() {}
