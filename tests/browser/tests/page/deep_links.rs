//! Addresses that are bookmarked or shared.

use scheduler_browser_tests::testid;

use crate::{add_greeting, newest_run, service};

/// Every character in it has a meaning in an address.
const ID: &str = "a/b c?#%<ü>&+\"'";

#[tokio::test]
async fn lead_to_jobs_whatever_their_id() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, ID).await;
        page.load_live("#/jobs?q=b%20c").await;
        page.has(1, &testid("job-row")).await;
        page.click(&testid("job-link")).await;
        page.reads(&testid("heading"), ID).await;
        let view = page.view().await;
        assert_eq!(view, "#/jobs/a%2Fb%20c%3F%23%25%3C%C3%BC%3E%26%2B%22'");

        page.load_live(&view).await;
        page.reads(&testid("heading"), ID).await;
        page.sees(&testid("definition"), "Europe/Berlin").await;
        page.click(&testid("job-run")).await;
        page.has(1, &testid("run-row")).await;
        let run = newest_run(scene, ID, "succeeded").await;
        page.click(&testid("run-link")).await;
        page.reads(&testid("run-job"), ID).await;
        assert_eq!(
            page.view().await,
            format!("#/runs/{}", run["id"].as_str().unwrap())
        );
        page.client().back().await.unwrap();
        page.reads(&testid("heading"), ID).await;

        page.click(&testid("job-delete")).await;
        page.click(&testid("dialog-submit")).await;
        page.reads(&testid("heading"), "Jobs").await;
        let left = scene.service.api().get("jobs?q=b%20c").await;
        assert_eq!(left["items"], serde_json::json!([]));
    });
    play.await;
}

#[tokio::test]
async fn lead_to_what_is_not_there() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/nowhere").await;
        page.reads(&testid("heading"), "Not found").await;
        page.load_live("#/jobs/%E0%A4%A").await;
        page.reads(&testid("heading"), "Jobs").await;
        page.load_live("#/runs/no-such-run").await;
        page.holds(
            "it says so",
            "return !document.getElementById('view-error').hidden",
        )
        .await;
        // The address of the page without the trailing slash, for both ways of nesting the router.
        let address = scene.service.address().trim_end_matches('/').to_owned();
        for address in [address.replace("/scheduler", "/nested/scheduler"), address] {
            page.client().goto(&address).await.unwrap();
            page.is_live().await;
            page.click(&testid("nav-nodes")).await;
            page.sees(&testid("node-row"), "page-service").await;
        }
    });
    play.await;
}
