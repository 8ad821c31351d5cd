use scheduler_core::prelude::*;

#[task]
async fn job(text: Option<&str>) {
    let _ = text;
}

fn main() {}
