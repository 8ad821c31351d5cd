use scheduler_core::prelude::*;

#[task(name = "a", name = "b")]
async fn job() {}

fn main() {}
