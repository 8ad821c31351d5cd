//! The timeline of past runs and upcoming fire times.

use scheduler_browser_tests::{Key, testid};

use crate::{in_row, newest_run, service};

#[tokio::test]
async fn shows_runs_as_bars_and_fires_as_marks() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&in_row("broken-import", "job-run")).await;
        let run = newest_run(scene, "broken-import", "failed").await;
        newest_run(scene, "heartbeat", "succeeded").await;

        page.load_live("#/timeline?hours=1").await;
        let failed = format!("{}[data-state=\"failed\"]", testid("timeline-run"));
        page.has(1, &failed).await;
        page.sees(&testid("timeline"), "heartbeat").await;
        page.has(1, &testid("timeline-now")).await;
        page.has(1, &testid("timeline-density")).await;
        page.holds(
            "bars are drawn left of now, and marks right of it",
            "const now = document.querySelector('[data-testid=timeline-now]').getBoundingClientRect().x;
             const edges = (name) => [...document.querySelectorAll(`[data-testid=${name}]`)].map((e) => e.getBoundingClientRect());
             const bars = edges('timeline-run'), marks = edges('timeline-fire');
             return bars.length > 1 && marks.length > 10 && bars.every((b) => b.width >= 3 && b.height > 5 && b.x <= now + 1)
                 && marks.every((m) => m.width > 0 && m.right >= now - 1)",
        )
        .await;

        // The same with the keyboard: a bar shows its details, and leads to its run.
        page.load_live("#/timeline?hours=1&q=broken").await;
        page.has(1, &failed).await;
        page.tab_to(&testid("timeline-run"), 30).await;
        page.sees(&testid("timeline-detail"), "broken-import: failed").await;
        page.press_key(Key::Enter).await;
        page.sees(&testid("run-error-full"), "row 7").await;
        assert_eq!(page.view().await, format!("#/runs/{}", run["id"].as_str().unwrap()));

        // As a table, for users who cannot see the picture.
        page.load_live("#/timeline?hours=1").await;
        page.click(&format!("{} summary", testid("timeline-as-table"))).await;
        page.sees(&format!("{} tbody tr", testid("timeline-as-table")), "broken-import").await;

        page.fill(&testid("timeline-filter"), "heartb").await;
        page.has(1, &format!("{} g.marks", testid("timeline"))).await;
        page.fill(&testid("timeline-filter"), "no such job").await;
        page.has(1, &testid("timeline-empty")).await;
        page.fill(&testid("timeline-filter"), "").await;
        page.choose(&testid("timeline-span"), "24").await;
        page.sees(&testid("timeline"), "overrun").await;
    });
    play.await;
}

#[tokio::test]
async fn shows_what_runs_while_it_runs() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/timeline?q=slow-export&hours=1").await;
        page.holds(
            "the view is read",
            "return document.querySelector('[data-testid=timeline]')?.children.length > 0",
        )
        .await;
        page.has_no(&testid("timeline-run")).await;
        let api = scene.service.api();
        api.post("jobs/slow-export/run", &serde_json::json!({}))
            .await;
        page.has(
            1,
            &format!("{}[data-state=\"running\"]", testid("timeline-run")),
        )
        .await;
        let run = newest_run(scene, "slow-export", "running").await;
        let cancel = format!("runs/{}/cancel", run["id"].as_str().unwrap());
        api.post(&cancel, &serde_json::json!({})).await;
        page.has(
            1,
            &format!("{}[data-state=\"cancelled\"]", testid("timeline-run")),
        )
        .await;
    });
    play.await;
}
