use scheduler_core::prelude::*;

#[scheduled_job(interval = "5", args(user_id = 42))]
pub async fn remind(user_id: i64, ctx: JobContext) {
    let _ = (user_id, ctx);
}

fn schedule() -> Job {
    drop(remind);
    remind::job(42).id("other")
}

fn main() {}
