use scheduler_core::prelude::*;

#[task]
unsafe fn job() {}

fn main() {}
