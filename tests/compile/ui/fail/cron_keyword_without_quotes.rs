use scheduler_core::prelude::*;

#[scheduled_job(cron(day_of_week = mon-fri))]
async fn job() {}

fn main() {}
