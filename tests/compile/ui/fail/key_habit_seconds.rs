use scheduler_core::prelude::*;

#[scheduled_job(seconds = 30)]
async fn job() {}

fn main() {}
