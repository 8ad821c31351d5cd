use scheduler_core::prelude::*;

trait Jobs {
    #[task]
    fn job();
}

fn main() {}
