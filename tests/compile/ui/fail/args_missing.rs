use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(user_id = 42))]
async fn job(user_id: i64, text: String) {
    let _ = (user_id, text);
}

fn main() {}
