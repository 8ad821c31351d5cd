use scheduler_core::prelude::*;

struct Service;

impl Service {
    #[scheduled_job(interval = "5m")]
    async fn job() {}
}

fn main() {}
