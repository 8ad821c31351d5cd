use scheduler_core::prelude::*;

#[task]
async fn job() -> impl std::fmt::Display {
    5
}

fn main() {}
