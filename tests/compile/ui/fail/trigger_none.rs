use scheduler_core::prelude::*;

#[scheduled_job(id = "cleanup")]
async fn job() {}

fn main() {}
