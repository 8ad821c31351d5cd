use scheduler_core::prelude::*;

#[scheduled_job(interval = "")]
async fn job() {}

fn main() {}
