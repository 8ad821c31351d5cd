use scheduler_core::prelude::*;

#[task(cron = "0 6 * * *")]
async fn job() {}

fn main() {}
