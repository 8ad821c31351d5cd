use scheduler_core::prelude::*;

#[task]
async fn job(#[arg(default = "three")] count: u8) {
    let _ = count;
}

fn main() {}
