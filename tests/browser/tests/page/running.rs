//! Runs that are requested, fail, or are stopped.

use scheduler_browser_tests::testid;

use crate::{add_greeting, in_row, newest_run, service};

fn outcome(id: &str, state: &str) -> String {
    format!("{}[data-state=\"{state}\"]", in_row(id, "outcome"))
}

#[tokio::test]
async fn run_now_and_the_outcome_comes_by_itself() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, "greeting").await;
        page.load_live("#/jobs").await;
        page.script("window.isTheSame = true", vec![]).await;
        page.sees("[data-id=\"greeting\"]", "no runs yet").await;

        page.click(&in_row("greeting", "job-run")).await;
        page.has(1, &outcome("greeting", "succeeded")).await;
        let run = newest_run(scene, "greeting", "succeeded").await;
        assert_eq!(run["kind"], "manual");
        assert_eq!(run["value"], "hello Ada, 2 times, None, x");

        // Changes made elsewhere also arrive.
        scene
            .service
            .api()
            .post("jobs/greeting/run", &serde_json::json!({}))
            .await;
        page.has(2, &outcome("greeting", "succeeded")).await;
        page.holds("it was not loaded anew", "return window.isTheSame === true")
            .await;

        page.click(&testid("toast-run")).await;
        page.sees(&testid("run-value-full"), "hello Ada, 2 times")
            .await;
        assert_eq!(
            page.view().await,
            format!("#/runs/{}", run["id"].as_str().unwrap())
        );
        page.click(&testid("run-job")).await;
        page.reads(&testid("heading"), "greeting").await;
        page.has(2, &testid("run-row")).await;
    });
    play.await;
}

#[tokio::test]
async fn an_error_is_shown_as_the_text_it_is() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&in_row("broken-import", "job-run")).await;
        page.has(1, &outcome("broken-import", "failed")).await;
        let run = newest_run(scene, "broken-import", "failed").await;
        let error = run["error"].as_str().unwrap().to_owned();
        assert!(error.contains("<img src=x onerror=alert(1)>"), "{error}");
        assert!(error.contains("<script>"), "{error}");

        let nothing_injected = async || {
            page.has_no_alert().await;
            page.has_no("img[src=\"x\"], #view b, #view script, [onerror]")
                .await;
        };
        nothing_injected().await;
        page.click(&outcome("broken-import", "failed")).await;
        page.reads(&testid("run-error-full"), &error).await;
        nothing_injected().await;

        page.load_live("#/runs?job=broken-import").await;
        page.has(1, &testid("run-row")).await;
        page.click(&format!("{} summary", testid("run-error")))
            .await;
        page.sees(&format!("{} pre", testid("run-error")), &error)
            .await;
        nothing_injected().await;

        page.load_live("#/jobs/broken-import").await;
        page.sees(&testid("run-error"), "row 7").await;
        nothing_injected().await;

        page.load_live("#/timeline?q=broken").await;
        page.has(
            1,
            &format!("{}[data-state=\"failed\"]", testid("timeline-run")),
        )
        .await;
        nothing_injected().await;
    });
    play.await;
}

#[tokio::test]
async fn a_slow_run_is_cancelled() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&in_row("slow-export", "job-run")).await;
        page.has(1, &outcome("slow-export", "running")).await;

        page.load_live("#/runs?job=slow-export").await;
        page.click(&testid("run-cancel")).await;
        page.sees(&testid("cancel-dialog"), "slow-export").await;
        page.click(&testid("dialog-cancel")).await;
        page.has_no(&testid("cancel-dialog")).await;
        newest_run(scene, "slow-export", "running").await;

        page.click(&testid("run-cancel")).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("cancel-dialog")).await;
        page.has(
            1,
            &format!("{}[data-state=\"cancelled\"]", testid("run-state")),
        )
        .await;
        page.has_no(&testid("run-cancel")).await;
        let run = newest_run(scene, "slow-export", "cancelled").await;
        assert!(run["duration_ms"].as_i64().unwrap() < 30_000, "{run}");
    });
    play.await;
}
