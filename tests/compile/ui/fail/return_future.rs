use scheduler_core::prelude::*;

#[task]
fn job() -> impl Future<Output = ()> {
    async {}
}

fn main() {}
