use scheduler_core::prelude::*;

#[task]
async fn job(count: std::rc::Rc<u8>) {
    let _ = count;
}

fn main() {}
