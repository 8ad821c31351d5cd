use scheduler_core::prelude::*;

struct Failed;

#[task]
async fn job() -> Result<(), Failed> {
    Err(Failed)
}

fn main() {}
