use scheduler_core::prelude::*;

#[scheduled_job(date = "2026-12-31T23:59:00Z", timezone = "Asia/Shanghai")]
async fn job() {}

fn main() {}
