use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 6 * * *", timezone = "Europe/Berln")]
async fn job() {}

fn main() {}
