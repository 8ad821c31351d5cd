use scheduler_core::prelude::*;

#[task(nam = "a")]
async fn job() {}

fn main() {}
