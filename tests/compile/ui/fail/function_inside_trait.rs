use scheduler_core::prelude::*;

trait Service {
    #[task]
    fn job(count: u8) {
        let _ = count;
    }
}

fn main() {}
