use scheduler_core::prelude::*;

#[scheduled_job(or())]
async fn job() {}

fn main() {}
