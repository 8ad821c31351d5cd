//! What the page loads, counted on the wire: over a slow connection, and while it is idle.
//!
//! The times are printed but not asserted, since they depend on the machine:
//! `cargo nextest run -p scheduler-browser-tests slow_network --no-capture`.

use std::time::Duration;

use scheduler_browser_tests::{Meter, Scene, testid};
use serde_json::json;

use crate::service;

/// Records when the first row of the job table was drawn.
const WATCH: &str = "
    new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-testid=job-row]')) return;
        window.firstRow = performance.now();
        observer.disconnect();
    }).observe(document, { childList: true, subtree: true });";

/// Limits the connection to 400 kbit/s, with 400 ms before each response begins.
async fn slow_down(scene: &Scene) {
    let page = &scene.page;
    page.devtools("Network.enable", json!({})).await;
    page.devtools(
        "Network.emulateNetworkConditions",
        json!({ "offline": false, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000 }),
    )
    .await;
    page.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": WATCH }),
    )
    .await;
}

/// Loads the page until the first row is visible, and returns the milliseconds, the requests and the bytes.
async fn first_row(scene: &Scene, meter: &Meter) -> (f64, u64, u64) {
    let page = &scene.page;
    page.client().goto("about:blank").await.unwrap();
    meter.take();
    page.client().goto(meter.address()).await.unwrap();
    page.holds("there is a row", "return window.firstRow !== undefined")
        .await;
    let bytes = meter.take();
    let requests = page
        .script(
            "return 1 + performance.getEntriesByType('resource').length",
            vec![],
        )
        .await;
    let time = page.script("return window.firstRow", vec![]).await;
    (time.as_f64().unwrap(), requests.as_u64().unwrap(), bytes)
}

#[tokio::test]
async fn first_row_takes_few_requests_and_bytes() {
    let play = service().with("--crowd=1000").play(async |scene| {
        let meter = Meter::before(scene.service.address()).await;
        slow_down(scene).await;
        for (visit, most_requests, most_bytes) in [("first", 10, 80_000), ("second", 10, 30_000)] {
            let (time, requests, bytes) = first_row(scene, &meter).await;
            println!(
                "{visit} visit: first row after {time:.0} ms, {requests} requests, {bytes} bytes"
            );
            assert!(requests <= most_requests, "{requests} requests");
            assert!(bytes <= most_bytes, "{bytes} bytes");
        }
    });
    play.await;
}

/// Counts the bytes for this many seconds, and returns them per minute.
async fn bytes_a_minute(meter: &Meter, seconds: u64) -> u64 {
    meter.take();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    meter.take() * 60 / seconds
}

#[tokio::test]
async fn idle_tab_transfers_little() {
    let play = service().with("--story").play(async |scene| {
        let meter = Meter::before(scene.service.address()).await;
        let page = &scene.page;
        page.client().goto(meter.address()).await.unwrap();
        page.is_live().await;
        page.sees(&testid("jobs-count"), "jobs").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let bytes = bytes_a_minute(&meter, 40).await;
        println!("idle tab: {bytes} bytes a minute");
        assert!(bytes <= 20 * 1024, "{bytes} bytes a minute");
    });
    play.await;
}

#[tokio::test]
async fn idle_tab_transfers_little_while_jobs_run_all_the_time() {
    let play = service().with("--crowd=100").play(async |scene| {
        let meter = Meter::before(scene.service.address()).await;
        let page = &scene.page;
        page.client().goto(meter.address()).await.unwrap();
        page.is_live().await;
        page.sees(&testid("jobs-count"), "jobs").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let bytes = bytes_a_minute(&meter, 40).await;
        println!("idle tab, three runs in two seconds: {bytes} bytes a minute");
        assert!(bytes <= 50 * 1024, "{bytes} bytes a minute");
    });
    play.await;
}
