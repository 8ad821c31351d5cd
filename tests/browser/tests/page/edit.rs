//! Editing the triggers of existing jobs.

use scheduler_browser_tests::testid;

use crate::{add_greeting, in_row, service};

#[tokio::test]
async fn a_trigger_is_changed_with_a_preview() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        let before = api.job("heartbeat").await["trigger"].clone();
        page.load_live("#/jobs").await;
        let edit = in_row("heartbeat", "job-edit");

        // Changed in the dialog and cancelled.
        page.click(&edit).await;
        page.has_value(&testid("trigger-text"), before.as_str().unwrap())
            .await;
        page.has(10, &testid("preview-fire")).await;
        page.fill(&testid("trigger-text"), "every 3h").await;
        page.sees(&testid("preview-description"), "3 hours").await;
        page.click(&testid("dialog-cancel")).await;
        page.has_no(&testid("trigger-dialog")).await;
        assert_eq!(api.job("heartbeat").await["trigger"], before);

        page.click(&edit).await;
        page.fill(&testid("trigger-text"), "every 10m").await;
        page.sees(&testid("preview-description"), "10 minutes")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("trigger-dialog")).await;
        page.sees(&in_row("heartbeat", "job-description"), "10 minutes")
            .await;
        page.has(1, &in_row("heartbeat", "badge-edited")).await;
        let job = api.job("heartbeat").await;
        assert!(job["trigger"].as_str().unwrap().contains("10m"), "{job}");
        assert_eq!(job["edited"], true);
    });
    play.await;
}

#[tokio::test]
async fn the_time_zone_has_a_field_of_its_own() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "berlin").await;
        page.load_live("#/jobs?q=berlin").await;
        page.click(&in_row("berlin", "job-edit")).await;
        page.has_value(&testid("trigger-zone"), "Europe/Berlin")
            .await;
        page.has_value(&testid("trigger-text"), "cron 0 9 1 1 *")
            .await;

        page.fill(&testid("trigger-zone"), "Nowhere/City").await;
        page.sees(&testid("error-timezone"), "Nowhere/City").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-timezone"), "Nowhere/City").await;
        page.has(1, &testid("trigger-dialog")).await;

        page.fill(&testid("trigger-zone"), "Asia/Tokyo").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("trigger-dialog")).await;
        page.sees("[data-id=\"berlin\"]", "Asia/Tokyo").await;
        let job = api.job("berlin").await;
        assert_eq!(job["timezone"], "Asia/Tokyo");
        let next = job["next_fire"]["scheduled_for"].as_str().unwrap();
        assert!(next.ends_with("-01-01T00:00:00Z"), "{next}");
    });
    play.await;
}
