use scheduler_core::prelude::*;

#[task(job_type = "CleanupJob")]
async fn job() {}

fn main() {}
