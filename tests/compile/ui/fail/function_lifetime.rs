use scheduler_core::prelude::*;

#[task]
async fn job<'a>(value: &'a str) {
    let _ = value;
}

fn main() {}
