//! What every measured program needs: the time it used, the memory it holds, how late its jobs ran, and the
//! one line of JSON that tells it.
//!
//! Every subject records a fire in the same way: it reads the wall clock and counts it in a bucket, with
//! relaxed atomics and no lock. What that costs is the same for all, and small.

mod adding;
mod arguments;
mod cpu;
mod histogram;
mod memory;
mod report;
mod window;

pub use adding::Adding;
pub use arguments::{Arguments, arguments};
pub use cpu::cpu;
pub use histogram::Histogram;
pub use memory::resident;
pub use report::Report;
pub use window::{fired, fired_again, now_nanos, start_after, watch};
