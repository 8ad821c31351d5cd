use scheduler_core::prelude::*;

#[scheduled_job]
async fn job() {}

fn main() {}
