use scheduler_core::prelude::*;

#[task]
const JOB: u8 = 1;

fn main() {}
