//! Pausing and resuming.

use scheduler_browser_tests::{testid, until};

use crate::{in_row, service};

#[tokio::test]
async fn with_a_note_and_back() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        page.load_live("#/jobs").await;
        // One job is paused initially.
        page.sees(
            &in_row("on-leave", "paused-note"),
            "waits for the new server",
        )
        .await;
        page.has_no(&in_row("on-leave", "job-pause")).await;

        page.click(&in_row("heartbeat", "job-pause")).await;
        page.fill(&testid("pause-note"), "until <b>Monday</b>")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("pause-dialog")).await;
        page.sees(&in_row("heartbeat", "paused-note"), "until <b>Monday</b>")
            .await;
        let job = api.job("heartbeat").await;
        assert_eq!(job["state"], "paused");
        assert_eq!(job["paused_note"], "until <b>Monday</b>");
        assert_eq!(job["next_fire"], serde_json::Value::Null);

        page.choose(&testid("jobs-state"), "paused").await;
        page.has(2, &testid("job-row")).await;
        page.click(&in_row("heartbeat", "job-resume")).await;
        page.has(1, &testid("job-row")).await;
        page.choose(&testid("jobs-state"), "").await;
        page.has(1, &in_row("heartbeat", "job-pause")).await;
        page.has_no(&in_row("heartbeat", "badge-paused")).await;
        let resumed = api.job("heartbeat").await;
        assert_eq!(resumed["state"], "scheduled");
        assert_eq!(resumed["paused_note"], serde_json::Value::Null);

        // The job runs again.
        let since = api.now().await;
        until("it runs again", async || {
            let runs = api.runs("heartbeat").await;
            // On a fast machine it may not have run before it was paused.
            let newest = runs.first().and_then(|run| run["started_at"].as_str());
            let newest = newest.unwrap_or_default().to_owned();
            if newest > since { Ok(()) } else { Err(newest) }
        })
        .await;
    });
    play.await;
}
