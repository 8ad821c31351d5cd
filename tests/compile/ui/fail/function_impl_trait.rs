use scheduler_core::prelude::*;

#[task]
async fn job(value: impl ToString) {
    let _ = value.to_string();
}

fn main() {}
