use scheduler_core::prelude::*;

#[task]
struct Job;

fn main() {}
