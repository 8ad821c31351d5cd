use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m")]
#[tokio::main]
async fn other() {}

fn main() {}
