use scheduler_core::prelude::*;

#[scheduled_job(date = "tomorrow")]
async fn job() {}

fn main() {}
