use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", id = concat!("a", "b"))]
async fn job() {}

fn main() {}
