use scheduler_core::prelude::*;

#[task]
async fn job(ids: &[u64]) {
    let _ = ids;
}

fn main() {}
