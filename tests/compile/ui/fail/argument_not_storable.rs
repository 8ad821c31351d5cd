use scheduler_core::prelude::*;

struct Pool;

#[task]
async fn job(pool: Pool) {
    let _ = pool;
}

fn main() {}
