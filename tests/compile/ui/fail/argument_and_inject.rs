use scheduler_core::prelude::*;

#[task]
async fn job(#[arg] #[inject] count: u8) {
    let _ = count;
}

fn main() {}
