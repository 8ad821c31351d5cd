use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m")]
mod jobs {}

fn main() {}
