use scheduler_core::prelude::*;

const ID: u32 = 7;

#[scheduled_job(interval = "5m", id = ID)]
async fn job() {}

fn main() {}
