//! Randomness, for identities of nodes and runs and for generated ids.

use std::hash::{BuildHasher, RandomState};

/// Returns 64 random bits of the operating system.
///
/// Identities must differ between all processes of a fleet, including clones of one virtual machine. If the system
/// refuses, which no system supported by Rust's std does once it has booted, the bits are those that std seeds its
/// hash maps with, mixed with the time and the process id.
pub fn random_u64() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let at = std::time::SystemTime::UNIX_EPOCH.elapsed();
        RandomState::new().hash_one((at.ok(), std::process::id()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bits_differ() {
        let drawn: std::collections::HashSet<u64> = (0..1_000).map(|_| random_u64()).collect();
        assert_eq!(drawn.len(), 1_000);
        // Each bit is set at least once.
        assert_eq!(drawn.iter().fold(0, |all, bits| all | bits), u64::MAX);
        assert_eq!(drawn.iter().fold(u64::MAX, |all, bits| all & bits), 0);
    }
}
