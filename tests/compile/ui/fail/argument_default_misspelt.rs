use scheduler_core::prelude::*;

#[task]
async fn job(#[arg(defualt)] count: u8) {
    let _ = count;
}

fn main() {}
