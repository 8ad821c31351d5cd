use scheduler_core::prelude::*;

#[task]
async fn job(#[args(default)] count: u8, #[injected] ctx: JobContext) {
    let _ = (count, ctx);
}

fn main() {}
