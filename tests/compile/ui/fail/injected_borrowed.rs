use scheduler_core::prelude::*;

#[task]
async fn job(ctx: &JobContext) {
    let _ = ctx;
}

fn main() {}
