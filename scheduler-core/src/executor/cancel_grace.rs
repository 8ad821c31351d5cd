//! The grace period of a cancelled body.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::sleep;
use crate::task::started_run::StartedRun;
use crate::testing::Hold;

/// How long an async body may continue after its cancellation was requested. Then it is dropped at its next await.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// Resolves when a body has to be dropped, because its grace period is over or its cancellation is forced. Virtual
/// time does not pass while `hold` is held.
pub(super) async fn grace_is_over(run: Arc<StartedRun>, _hold: Option<Hold>) {
    let cancel = &run.cancel;
    cancel.asked().await;
    tokio::select! {
        biased;
        () = sleep(CANCEL_GRACE) => {}
        () = cancel.forced() => {}
    }
}
