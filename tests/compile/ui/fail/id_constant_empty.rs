use scheduler_core::prelude::*;

const ID: &str = "";

#[scheduled_job(interval = "5m", id = ID)]
async fn job() {}

fn main() {}
