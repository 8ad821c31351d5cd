use scheduler_core::prelude::*;

#[scheduled_job(interval = , id = "a")]
async fn job() {}

fn main() {}
