use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m")]
async fn marks(#[arg] #[inject] _ctx: JobContext, #[arg(5)] n: u32, #[arg = 5] m: u32) {}

#[scheduled_job(interval = "5m", args(n = 1))]
async fn without_name(_: u8) {}

fn main() {}
