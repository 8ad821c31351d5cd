//! Runs, nodes, and skipped fire times.

use scheduler_browser_tests::testid;

use crate::{in_row, newest_run, service};

#[tokio::test]
async fn runs_by_state_and_job() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&in_row("broken-import", "job-run")).await;
        newest_run(scene, "broken-import", "failed").await;
        newest_run(scene, "heartbeat", "succeeded").await;
        page.click(&testid("nav-runs")).await;
        page.sees(&testid("run-row"), "heartbeat").await;
        page.sees(&testid("run-value"), "attempt 1").await;
        page.click(&testid("runs-state-failed")).await;
        page.has(1, &testid("run-row")).await;
        page.sees(&testid("run-row"), "broken-import").await;
        page.sees(&testid("run-row"), "page-service").await;
        assert_eq!(page.view().await, "#/runs?state=failed");
        page.click(&testid("runs-state-failed")).await;
        page.fill(&testid("runs-job"), "no-such-job").await;
        page.sees(&testid("runs-empty"), "No run matches").await;
    });
    play.await;
}

#[tokio::test]
async fn nodes_with_version_and_lease() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&testid("nav-nodes")).await;
        let node = scene.service.api().get("nodes").await["items"][0].clone();
        let id = node["id"].as_str().unwrap();
        let row = format!("{}[data-id=\"{id}\"]", testid("node-row"));
        page.sees(&row, "page-service").await;
        page.sees(&row, "1.0.0").await;
        page.sees(&row, "alive").await;
        page.sees(&testid("this-node"), "this node").await;
        page.reads(&testid("node"), "page-service").await;
        page.reads(&testid("title"), "Page service").await;
    });
    play.await;
}

#[tokio::test]
async fn what_was_dropped_and_why() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/skipped").await;
        // It appears without a reload, as soon as a run of the slow job blocks the next one.
        page.sees(&testid("skipped-row"), "overrun").await;
        page.sees(&testid("skipped-explained"), "running already")
            .await;
        page.click(&testid("skipped-overlap")).await;
        page.has(
            1,
            &format!("{}[aria-pressed=\"true\"]", testid("skipped-overlap")),
        )
        .await;
        page.sees(&testid("skipped-row"), "overrun").await;
        assert_eq!(page.view().await, "#/skipped?reason=overlap");
        let skipped = scene
            .service
            .api()
            .get("skipped?reason=overlap&job=overrun")
            .await;
        assert!(
            !skipped["items"].as_array().unwrap().is_empty(),
            "{skipped}"
        );
        assert!(
            skipped["since_start"]["overlap"].as_u64() > Some(0),
            "{skipped}"
        );
        page.load_live("#/skipped?reason=removed").await;
        page.has(1, &testid("skipped-empty")).await;

        page.click(&testid("health")).await;
        page.sees(&testid("health-facts"), "running").await;
        page.sees(&testid("health-facts"), "overlap").await;
    });
    play.await;
}
