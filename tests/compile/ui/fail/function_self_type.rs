use scheduler_core::prelude::*;

struct Service;

impl Service {
    #[task]
    async fn job() {
        Self::work();
    }

    fn work() {}
}

fn main() {}
