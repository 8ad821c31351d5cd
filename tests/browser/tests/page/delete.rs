//! Deleting jobs.

use scheduler_browser_tests::{Key, testid};

use crate::{add_greeting, in_row, service};

#[tokio::test]
async fn only_when_it_is_confirmed() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "short-lived").await;
        add_greeting(scene, "from-its-page").await;
        page.load_live("#/jobs").await;
        page.has(1, &in_row("heartbeat", "job-pause")).await;
        page.has_no(&in_row("heartbeat", "job-delete")).await;

        let delete = in_row("short-lived", "job-delete");
        page.click(&delete).await;
        page.sees(&testid("delete-dialog"), "short-lived").await;
        page.click(&testid("dialog-cancel")).await;
        page.has_no(&testid("delete-dialog")).await;
        page.click(&delete).await;
        page.press_key(Key::Escape).await;
        page.has_no(&testid("delete-dialog")).await;
        assert_eq!(api.status("jobs/short-lived").await, 200);

        page.click(&delete).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("delete-dialog")).await;
        page.has_no("[data-id=\"short-lived\"]").await;
        page.sees(&testid("toast"), "short-lived").await;
        assert_eq!(api.status("jobs/short-lived").await, 404);

        page.click(&in_row("from-its-page", "job-link")).await;
        page.reads(&testid("heading"), "from-its-page").await;
        page.click(&testid("job-delete")).await;
        page.click(&testid("dialog-submit")).await;
        page.reads(&testid("heading"), "Jobs").await;
        page.has(1, &in_row("heartbeat", "job-pause")).await;
        page.has_no("[data-id=\"from-its-page\"]").await;
        assert_eq!(api.status("jobs/from-its-page").await, 404);
    });
    play.await;
}

#[tokio::test]
async fn what_is_gone_by_another_hand_is_reported() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, "gone").await;
        page.load_live("#/jobs").await;
        page.click(&in_row("gone", "job-pause")).await;
        page.sees(&testid("pause-dialog"), "gone").await;
        let api = scene.service.api();
        let removed = api
            .try_send(axum::http::Method::DELETE, "jobs/gone", None)
            .await;
        assert_eq!(removed.unwrap().status, 204);
        page.has_no("[data-id=\"gone\"]").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("dialog-error"), "gone").await;
        page.click(&testid("dialog-close")).await;
        page.has_no(&testid("pause-dialog")).await;

        page.load_live("#/jobs/gone").await;
        page.sees(&testid("view-error"), "gone").await;
    });
    play.await;
}
