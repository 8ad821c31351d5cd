//! Waiting for a condition.

use std::time::{Duration, Instant};

/// How long a test waits. This asserts nothing about speed: it is long enough for a machine that is busy with other
/// tests.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(40);

/// Repeats the probe until it returns `Ok`; panics with its last error after [`PATIENCE`].
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match probe().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "{what}: {seen}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
