//! Access tokens.

use axum::http::{Method, StatusCode};
use scheduler_browser_tests::{FULL_TOKEN, Key, READ_TOKEN, testid};

use crate::{in_row, newest_run, service};

#[tokio::test]
async fn a_wrong_token_and_the_right_one() {
    let play = service().with("--tokens").play(async |scene| {
        let page = &scene.page;
        page.load("#/jobs").await;
        page.has(1, &testid("token-dialog")).await;
        page.has_no(&testid("job-row")).await;
        page.fill(&testid("token"), "a-token-that-is-wrong").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-token"), "refuses").await;
        page.fill(&testid("token"), FULL_TOKEN).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("token-dialog")).await;
        page.is_live().await;
        page.reads(&testid("role"), "full").await;
        page.click(&in_row("broken-import", "job-run")).await;
        newest_run(scene, "broken-import", "failed").await;
        page.has(1, &in_row("broken-import", "outcome")).await;

        // The token is kept in this tab.
        page.load_live("#/runs").await;
        page.has_no(&testid("token-dialog")).await;
        page.click(&testid("token-button")).await;
        page.has(1, &testid("token-dialog")).await;
        page.press_key(Key::Escape).await;
        page.has_no(&testid("token-dialog")).await;
        page.sees(&testid("token-button"), "Enter token").await;
        page.click(&testid("token-button")).await;
        page.fill(&testid("token"), FULL_TOKEN).await;
        page.press_key(Key::Enter).await;
        page.sees(&testid("run-row"), "heartbeat").await;
        page.is_live().await;
        assert!(!scene.service.log().contains(FULL_TOKEN));
    });
    play.await;
}

#[tokio::test]
async fn who_may_only_read_has_nothing_to_press() {
    let play = service().with("--tokens").play(async |scene| {
        let page = &scene.page;
        page.load("#/jobs").await;
        page.fill(&testid("token"), READ_TOKEN).await;
        page.click(&testid("dialog-submit")).await;
        page.is_live().await;
        page.reads(&testid("role"), "read only").await;
        page.has(5, &testid("job-row")).await;
        let steering = ["job-run", "job-pause", "job-resume", "job-edit", "job-delete", "job-arguments", "job-policies", "run-cancel"]
            .map(testid)
            .join(",");
        page.has_no(&steering).await;
        page.holds(
            "no job can be created",
            "return document.querySelector('[data-testid=new-job]')?.hidden !== false",
        )
        .await;
        page.press(['n']).await;
        scene.service.api().post("jobs/slow-export/run", &serde_json::json!({})).await;
        page.load_live("#/jobs/slow-export").await;
        page.has(1, &format!("{}[data-state=\"running\"]", testid("outcome"))).await;
        page.has_no(&steering).await;
        page.load_live("#/runs?job=slow-export").await;
        page.has(1, &testid("run-row")).await;
        page.has_no(&steering).await;
        page.has_no("dialog").await;

        // A request without the button is refused as well.
        let status = page
            .script(
                "const headers = { Authorization: `Bearer ${arguments[0]}` };
                 return fetch('api/jobs/heartbeat/pause', { method: 'POST', headers }).then((r) => r.status)",
                vec![READ_TOKEN.into()],
            )
            .await;
        assert_eq!(status, 403);
        let api = scene.service.api();
        assert_eq!(api.job("heartbeat").await["state"], "scheduled");
        let refused = api.try_send(Method::POST, "jobs/no-such-job/pause", None).await.unwrap();
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    });
    play.await;
}
