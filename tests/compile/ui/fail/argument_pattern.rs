use scheduler_core::prelude::*;

#[task]
async fn job((a, b): (u8, u8)) {
    let _ = (a, b);
}

fn main() {}
