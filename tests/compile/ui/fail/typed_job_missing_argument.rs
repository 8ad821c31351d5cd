use scheduler_core::prelude::*;

#[task]
async fn job(user_id: i64, text: String) {
    let _ = (user_id, text);
}

fn schedule() -> Job {
    job::job(42)
}

fn main() {}
