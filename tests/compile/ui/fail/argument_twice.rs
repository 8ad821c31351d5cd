use scheduler_core::prelude::*;

#[task]
async fn job(#[arg] #[arg(default)] count: u8) {
    let _ = count;
}

fn main() {}
