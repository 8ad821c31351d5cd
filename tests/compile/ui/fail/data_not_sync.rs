use scheduler_core::prelude::*;

use std::cell::Cell;

#[task]
fn job(count: Data<Cell<u8>>) {
    let _ = count;
}

fn main() {}
