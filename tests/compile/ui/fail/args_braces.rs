use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args { count: 1 })]
async fn job(count: u8) {
    let _ = count;
}

fn main() {}
