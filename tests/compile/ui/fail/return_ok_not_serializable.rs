use scheduler_core::prelude::*;

struct Report;

#[task]
async fn job() -> Result<Report, std::io::Error> {
    Ok(Report)
}

fn main() {}
