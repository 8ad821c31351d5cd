//! The processor time of this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns the user and system time of all threads, including ended ones, to the nanosecond.
pub fn cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        used.tv_sec.try_into().expect("not negative"),
        used.tv_nsec.try_into().expect("below a second"),
    )
}
