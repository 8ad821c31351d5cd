//! Shared by all measured programs: the time used, the memory held, the lateness of jobs, and the line of JSON that
//! reports it.
//!
//! Every subject records a fire in the same way: it reads the wall clock and increments a bucket, with relaxed
//! atomics and no lock. The cost is small, and the same for all.

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
