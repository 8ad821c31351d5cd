use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", at_most_once = true, at_most_once = true)]
async fn job() {}

fn main() {}
