use scheduler_core::prelude::*;

#[scheduled_job("0 6 * * *")]
async fn job() {}

fn main() {}
