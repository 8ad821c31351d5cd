use scheduler_core::prelude::*;

#[task]
#[task]
async fn job() {}

fn main() {}
