//! A lock-free histogram of nanoseconds with a precision of one percent.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Buckets per octave: each is less than 1 % wide.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();
const BUCKETS: usize = (STEPS as usize) * (65 - STEP_BITS as usize);

/// Counts of values; many threads can add to it at once.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    smallest: AtomicI64,
    largest: AtomicI64,
}

impl Histogram {
    pub const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            smallest: AtomicI64::new(i64::MAX),
            largest: AtomicI64::new(i64::MIN),
        }
    }

    /// Counts a value. Negative values share a bucket with zero, but the exact smallest value is kept.
    pub fn record(&self, value: i64) {
        let bucket = bucket(u64::try_from(value).unwrap_or(0));
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        if value < self.smallest.load(Ordering::Relaxed) {
            self.smallest.fetch_min(value, Ordering::Relaxed);
        }
        if value > self.largest.load(Ordering::Relaxed) {
            self.largest.fetch_max(value, Ordering::Relaxed);
        }
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// Returns the smallest and the largest value.
    pub fn extremes(&self) -> Option<(i64, i64)> {
        let smallest = self.smallest.load(Ordering::Relaxed);
        (smallest < i64::MAX).then(|| (smallest, self.largest.load(Ordering::Relaxed)))
    }

    /// Returns the value at or below which this fraction of all values lies, to a percent.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let (_, largest) = self.extremes()?;
        let rank = (self.count() as f64 * part).ceil().max(1.0) as u64;
        let mut below = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += count.load(Ordering::Relaxed);
            if below >= rank {
                return Some(middle(bucket).min(largest as f64));
            }
        }
        Some(largest as f64)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the bucket of a value: values below 128 have one each; above, each octave has 128.
fn bucket(value: u64) -> usize {
    let octave = (64 - value.leading_zeros()).saturating_sub(STEP_BITS + 1);
    (u64::from(octave) * STEPS + (value >> octave)) as usize
}

fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    let octave = (bucket / STEPS).saturating_sub(1);
    let first = (bucket - octave * STEPS) << octave;
    first as f64 + ((1_u64 << octave) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_told_to_a_percent() {
        for value in (0..300)
            .chain((0..55).map(|bit| (1_u64 << bit) * 5 / 4))
            .chain([u64::MAX >> 1])
        {
            let told = middle(bucket(value));
            assert!(
                (told - value as f64).abs() <= value as f64 * 0.01,
                "{value} is told as {told}"
            );
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles_are_of_all_values() {
        let histogram = Histogram::new();
        assert_eq!(
            (
                histogram.count(),
                histogram.quantile(0.5),
                histogram.extremes()
            ),
            (0, None, None)
        );
        for value in 1..=1_000 {
            histogram.record(value * 1_000);
        }
        histogram.record(-5);
        for (part, expected) in [(0.5, 500_000.0), (0.99, 990_000.0), (1.0, 1_000_000.0)] {
            let told = histogram.quantile(part).unwrap();
            assert!((told / expected - 1.0_f64).abs() < 0.01, "{part}: {told}");
        }
        assert_eq!(histogram.extremes(), Some((-5, 1_000_000)));
        assert_eq!(histogram.count(), 1_001);
    }
}
