//! Uses the scheduler under another name, and directly or through a re-export.
//!
//! Also exposes the macros' output to clippy under strict lints.
#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    clippy::pedantic,
    clippy::nursery
)]

use renamed_scheduler::{scheduled_job, task, Data, JobContext};

/// The scheduler as another crate might re-export it.
pub mod handed_on {
    pub use renamed_scheduler as scheduler;
}

/// Names the crate by a path.
#[scheduled_job(interval = "5m", id = "renamed-path", crate = renamed_scheduler, args(user_id = 42))]
#[allow(clippy::unused_async)]
pub async fn by_path(user_id: i64, ctx: JobContext) {
    let _ = (user_id, ctx);
}

/// Names the crate by a path in quotes.
#[must_use]
#[task(crate = "crate::handed_on::scheduler")]
pub fn by_text(text: String, #[arg(default = 3)] count: u8, data: Data<u8>) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.push(count + *data.into_inner());
    bytes
}

/// Is named by a keyword of later editions.
#[task(crate = renamed_scheduler)]
#[allow(clippy::unused_async)]
pub async fn gen(gen: u8) {
    let _ = gen;
}

/// Tasks of a module.
pub mod jobs {
    use renamed_scheduler::task;

    /// Is scheduled by other crates.
    #[must_use]
    #[task(crate = ::renamed_scheduler)]
    pub const fn doubled(number: u32) -> u32 {
        number * 2
    }
}

#[scheduled_job(cron(hour = 6), crate = renamed_scheduler, coalesce = "all(2)", timeout = "1m")]
#[allow(clippy::unused_async)]
async fn private_job() {}
