use scheduler_core::prelude::*;

#[task]
async fn job<T: ToString>(value: T) {
    let _ = value.to_string();
}

fn main() {}
