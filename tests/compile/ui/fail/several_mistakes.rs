use scheduler_core::prelude::*;

#[scheduled_job(cron = "0 25 * * *", timezone = "Europe/Berln", max_instances = 0, retrys = 2, id = "")]
async fn job() {}

fn main() {}
