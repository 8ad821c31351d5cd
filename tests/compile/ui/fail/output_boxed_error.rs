use scheduler_core::prelude::*;

#[scheduled_job(interval = "5m")]
async fn fails() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {}
