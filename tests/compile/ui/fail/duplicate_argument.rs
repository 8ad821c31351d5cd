use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(a = 1, a = 2))]
async fn job(a: u8) {
    let _ = a;
}

fn main() {}
