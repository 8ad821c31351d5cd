use scheduler_core::prelude::*;

#[task]
async fn job(#[cfg(unix)] count: u8) {
    let _ = count;
}

fn main() {}
