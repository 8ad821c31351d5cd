use scheduler_core::prelude::*;

#[scheduled_job(fortnightly, colour = "red", retrys = 3)]
async fn job() {}

fn main() {}
