//! What persistent stores take.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml -p bench-stores -- COMMAND URL …`

mod all;
mod limit;
mod pickup;
mod start;
mod sustained;
mod url;

use std::time::Duration;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["sustained", url, jobs, seconds] => {
            sustained::run(url, jobs.parse().unwrap(), seconds.parse().unwrap()).await;
        }
        ["limit", url, jobs, seconds] => {
            let duration = Duration::from_secs(seconds.parse().unwrap());
            limit::run(url, jobs.parse().unwrap(), duration).await;
        }
        ["start", url, jobs] => start::run(url, jobs.parse().unwrap()).await,
        ["pickup", url, turns] => pickup::run(url, turns.parse().unwrap()).await,
        ["all", postgres, folder] => all::run(postgres, folder),
        _ => println!(
            "all POSTGRES_URL FOLDER | sustained URL JOBS SECONDS | limit URL JOBS SECONDS | start URL JOBS | pickup URL TURNS"
        ),
    }
}
