use scheduler_core::prelude::*;

#[task]
unsafe extern "C" {
    fn abs(number: i32) -> i32;
}

fn main() {}
