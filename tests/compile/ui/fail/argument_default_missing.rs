use scheduler_core::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Level(u8);

#[task]
async fn job(#[arg(default)] level: Level) {
    let _ = level.0;
}

fn main() {}
