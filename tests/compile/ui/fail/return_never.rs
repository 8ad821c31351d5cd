use scheduler_core::prelude::*;

#[task]
async fn job() -> ! {
    loop {}
}

fn main() {}
