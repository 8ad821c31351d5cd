//! A service that is shut down while the page is open.

use std::time::Duration;

use scheduler_browser_tests::testid;

use crate::{in_row, newest_run, service};

/// Runs have three seconds; the rest is slack for a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn ends_within_its_deadline() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&in_row("slow-export", "job-run")).await;
        newest_run(scene, "slow-export", "running").await;
        let status = scene.service.terminate(LIMIT).await;
        assert!(status.success(), "{status}");
        assert!(
            scene.service.log().contains("stopped"),
            "{}",
            scene.service.log()
        );
        let connection = testid("connection");
        page.sees(
            &format!("{connection}[data-state=\"reconnecting\"]"),
            "reconnecting",
        )
        .await;

        scene.service.restart();
        page.is_live().await;
        newest_run(scene, "heartbeat", "succeeded").await;
        page.has(5, &testid("job-row")).await;
    });
    play.await;
}
