//! The output trips no lint, not even one that may not be allowed again.
#![forbid(
    unsafe_code,
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    deprecated
)]
#![deny(
    warnings,
    unused,
    dead_code,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    unused_qualifications,
    unused_results,
    unused_import_braces,
    unused_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    missing_debug_implementations,
    let_underscore_drop,
    variant_size_differences,
    unit_bindings,
    redundant_imports,
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    explicit_outlives_requirements,
    macro_use_extern_crate,
    meta_variable_misuse,
    redundant_lifetimes,
    unnameable_types,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use scheduler_core::prelude::*;

/// A type that nobody but its task uses.
#[derive(serde::Serialize, serde::Deserialize, Debug, Clone, Copy, Default)]
pub struct Level(u8);

/// Never scheduled at run time.
#[scheduled_job(
    cron(hour = 6),
    args(user_id = 42, text = "x", _spare = 1),
    misfire_grace_time = "5m",
    coalesce = "all(3)",
    overlap = "queue",
    retries = 2,
    backoff = "1s..1m",
    executor = "slow"
)]
#[allow(
    clippy::unused_async,
    reason = "a task may be async and wait for nothing"
)]
async fn private_job(
    user_id: i64,
    text: String,
    _spare: u8,
    #[arg(default)] level: Level,
    #[arg(default = 3)] count: u64,
    ctx: JobContext,
    data: Data<String>,
) -> Result<u64, std::io::Error> {
    used(&text, user_id, level, &ctx, &data);
    Ok(count)
}

const fn used(_: &str, _: i64, _: Level, _: &JobContext, _: &str) {}

/// A task that other crates schedule.
#[task(name = "public")]
#[must_use]
pub fn public_task(ids: Vec<u64>) -> Vec<u64> {
    ids
}

fn main() {}
