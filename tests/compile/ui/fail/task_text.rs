use scheduler_core::prelude::*;

#[task("reminder")]
async fn job() {}

fn main() {}
