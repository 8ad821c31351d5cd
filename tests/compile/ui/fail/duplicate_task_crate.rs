use scheduler_core::prelude::*;

#[task(crate = scheduler_core, crate = scheduler_core)]
async fn job() {}

fn main() {}
