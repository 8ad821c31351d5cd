use scheduler_core::prelude::*;

#[task]
async fn job(#[inject(pool)] ctx: JobContext) {
    let _ = ctx;
}

fn main() {}
