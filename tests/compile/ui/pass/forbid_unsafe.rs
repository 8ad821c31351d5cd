//! The output holds no unsafe code of its own.
#![forbid(unsafe_code)]

use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m", args(user_id = 42))]
async fn job(user_id: i64, ctx: JobContext) {
    let _ = (user_id, ctx);
}

#[task]
fn sync_task(count: u8) -> u8 {
    count
}

fn main() {
    let _ = (job::job(1), sync_task::job(2));
}
