use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 six * * *")]
async fn job() {}

fn main() {}
