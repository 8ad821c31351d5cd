use scheduler_core::prelude::*;

#[task]
async fn job(count: u8, #[arg(default = count)] limit: u8) {
    let _ = (count, limit);
}

fn main() {}
