use scheduler_core::prelude::*;

#[scheduled_job(interval = "99999999999w")]
async fn job() {}

fn main() {}
