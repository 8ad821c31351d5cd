//! The cost of adding jobs: time, memory, and the processor time of being idle afterwards.

use std::time::{Duration, Instant};

use crate::{Report, cpu, resident};

/// A measurement that starts when the first job is added.
#[derive(Debug)]
pub struct Adding {
    begun: Instant,
    resident: u64,
}

impl Adding {
    pub fn begin() -> Self {
        Self {
            resident: resident(),
            begun: Instant::now(),
        }
    }

    /// Ends the measurement once all jobs are added, and then watches the idle process for `seconds`, if any. Blocks.
    pub fn done(&self, count: usize, seconds: u64) -> Report {
        let took = self.begun.elapsed();
        // Memory that was freed while adding may be reused, and some is still being allocated.
        std::thread::sleep(Duration::from_secs(1));
        let bytes = resident().saturating_sub(self.resident);
        let report = Report::new()
            .with("adds_per_second", count as f64 / took.as_secs_f64())
            .with("bytes_per_job", bytes as f64 / count as f64);
        if seconds == 0 {
            return report;
        }
        std::thread::sleep(Duration::from_secs(1));
        let (before, begun) = (cpu(), Instant::now());
        std::thread::sleep(Duration::from_secs(seconds));
        let part = (cpu() - before).as_secs_f64() / begun.elapsed().as_secs_f64();
        report.with("idle_percent", part * 100.0)
    }
}
