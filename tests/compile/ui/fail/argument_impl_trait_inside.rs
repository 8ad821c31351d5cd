use scheduler_core::prelude::*;

#[task]
async fn job(names: Vec<impl ToString>) {
    let _ = names;
}

fn main() {}
