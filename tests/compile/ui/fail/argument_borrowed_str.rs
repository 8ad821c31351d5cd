use scheduler_core::prelude::*;

#[task]
async fn job(text: &str) {
    let _ = text;
}

fn main() {}
