use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = "a", job_type = First)]
#[scheduled_job(interval = "5m", id = "b", job_type = Second)]
async fn job() {}

fn main() {}
