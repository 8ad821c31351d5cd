use scheduler_core::prelude::*;

#[scheduled_job(interval = 5)]
async fn job() {}

fn main() {}
