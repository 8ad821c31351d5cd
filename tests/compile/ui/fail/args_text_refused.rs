use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(ids = "1, 2"))]
async fn job(ids: Vec<u64>) {
    let _ = ids;
}

fn main() {}
