use scheduler_core::prelude::*;

#[task]
async fn job(user_id: i64) {
    let _ = user_id;
}

fn schedule() -> Job {
    job::job("42")
}

fn main() {}
