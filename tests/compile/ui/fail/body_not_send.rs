use scheduler_core::prelude::*;

async fn pause() {}

#[task]
async fn job() {
    let count = std::rc::Rc::new(5);
    pause().await;
    drop(count);
}

fn main() {}
