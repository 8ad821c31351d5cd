//! Waiting for what will be so.

use std::time::{Duration, Instant};

/// When a test gives up on what it waits for. Nothing is asserted about speed: it is this long so that a
/// machine that is busy with other tests is given the time it needs.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(40);

/// Asks until the answer is `Ok`; panics with the last answer after [`PATIENCE`].
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
