use scheduler_core::prelude::*;

const EVERY: &str = "5m";

#[scheduled_job(interval = EVERY)]
async fn job() {}

#[scheduled_job(cron = concat!("0 6", " * * *"))]
async fn other() {}

fn main() {}
