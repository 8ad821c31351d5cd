use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(a = 1), args(a = 1))]
async fn job(a: u8) {
    let _ = a;
}

fn main() {}
