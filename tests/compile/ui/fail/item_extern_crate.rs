use scheduler_core::prelude::*;

#[task]
extern crate std as standard;

fn main() {}
