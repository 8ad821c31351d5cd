use scheduler_core::prelude::*;

struct Report;

#[task]
async fn job() -> Report {
    Report
}

fn main() {}
