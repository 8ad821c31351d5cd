use scheduler_core::prelude::*;

#[derive(Debug)]
struct Failed;

#[task]
async fn job() -> Result<Result<(), Failed>, tokio::task::JoinError> {
    tokio::task::spawn_blocking(|| Err(Failed)).await
}

fn main() {}
