use scheduler_core::prelude::*;

struct Pool;

#[task]
async fn job(#[inject] pool: Pool) {
    let _ = pool;
}

fn main() {}
