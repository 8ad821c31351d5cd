use scheduler_core::prelude::*;

#[scheduled_job(intervall = "5m")]
async fn job() {}

fn main() {}
