use scheduler_core::prelude::*;

#[scheduled_job(cron = 0 */5 * * mon-fri)]
async fn job() {}

fn main() {}
