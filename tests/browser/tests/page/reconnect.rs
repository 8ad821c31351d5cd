//! A service that dies and restarts.

use scheduler_browser_tests::{testid, until};
use serde_json::json;

use crate::{add_greeting, in_row, newest_run, service};

#[tokio::test]
async fn the_page_says_so_and_comes_back_by_itself() {
    let play = service().play(async |scene| {
        add_greeting(scene, "before").await;
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.script("window.isTheSame = true", vec![]).await;
        page.click(&in_row("slow-export", "job-run")).await;
        newest_run(scene, "slow-export", "running").await;
        page.click(&in_row("before", "job-pause")).await;
        page.fill(&testid("pause-note"), "kept over a crash").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&in_row("before", "paused-note"), "kept over a crash")
            .await;

        page.sees("#health[data-health=\"ok\"]", "ok").await;
        scene.service.kill();
        let connection = testid("connection");
        page.sees(
            &format!("{connection}[data-state=\"reconnecting\"]"),
            "reconnecting",
        )
        .await;
        page.sees("#health[data-health=\"bad\"]", "server not reached")
            .await;
        // Requests meanwhile also get an answer: what is wrong.
        page.click(&in_row("before", "job-run")).await;
        page.sees(&testid("toast"), "cannot be reached").await;
        page.has(6, &testid("job-row")).await;

        scene.service.restart();
        // Changes before the page has noticed the restart.
        let api = scene.service.api();
        api.post("jobs/before/resume", &json!({})).await;
        add_greeting(scene, "after").await;
        page.is_live().await;
        page.has(1, "#health[data-health=\"ok\"]").await;
        page.has(1, &in_row("after", "job-link")).await;
        page.has_no(&in_row("before", "badge-paused")).await;
        page.holds("it was not loaded anew", "return window.isTheSame === true")
            .await;

        // The page is live again: new changes arrive, and what the killed process left is recovered.
        page.click(&in_row("after", "job-run")).await;
        page.has(
            1,
            &format!("{}[data-state=\"succeeded\"]", in_row("after", "outcome")),
        )
        .await;
        until("the run of the killed process is tried again", async || {
            let run = api.runs("slow-export").await[0].clone();
            if run["attempt"] == 2 {
                Ok(())
            } else {
                Err(run.to_string())
            }
        })
        .await;
        page.load_live("#/runs?job=slow-export").await;
        page.sees(&testid("run-row"), "1 earlier").await;
        page.load_live("#/nodes").await;
        page.sees(&testid("node-state"), "alive").await;
        page.sees(&testid("node-state"), "gone").await;
    });
    play.await;
}
