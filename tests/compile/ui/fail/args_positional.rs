use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(42, "x"))]
async fn job(user_id: i64, text: String) {
    let _ = (user_id, text);
}

fn main() {}
