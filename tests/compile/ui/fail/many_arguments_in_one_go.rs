use scheduler_core::prelude::*;

#[task]
async fn job(text: &str, (a, b): (u8, u8), ctx: &JobContext) -> ! {
    let _ = (text, a, b, ctx);
    loop {}
}

fn main() {}
