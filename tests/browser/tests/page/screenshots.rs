//! Screenshots for the documentation: `SCREENSHOTS=folder cargo test -p scheduler-browser-tests screenshots`.

use std::path::{Path, PathBuf};

use scheduler_browser_tests::{Page, testid};

use crate::service;

async fn save(page: &Page, folder: &Path, name: &str) {
    // No transient elements.
    page.has_no(&testid("toast")).await;
    page.holds(
        "nothing moves",
        "return document.getAnimations().length === 0 && !document.querySelector('[aria-busy]')",
    )
    .await;
    let picture = page.client().screenshot().await.unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
}

#[tokio::test]
async fn screenshots() {
    let Some(folder) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let play = service().with("--story").play(async |scene| {
        let page = &scene.page;
        page.resize(1280, 860).await;
        page.set_dark(false).await;
        page.load_live("#/jobs").await;
        page.has(11, &testid("job-row")).await;
        save(page, &folder, "jobs-light").await;
        page.set_dark(true).await;
        save(page, &folder, "jobs-dark").await;
        page.set_dark(false).await;

        page.click(&testid("new-job")).await;
        page.fill(&testid("new-id"), "morning-mail").await;
        page.fill(&testid("trigger-text"), "cron 0 9 * * mon-fri")
            .await;
        page.fill(&testid("trigger-zone"), "Europe/Berlin").await;
        page.sees(&format!("{} th", testid("preview-fires")), "Europe/Berlin")
            .await;
        save(page, &folder, "new-job").await;
        page.click(&testid("dialog-cancel")).await;

        page.load_live("#/jobs/import-orders").await;
        page.sees(&testid("run-error"), "503").await;
        save(page, &folder, "job").await;
        page.load_live("#/timeline").await;
        page.sees(&testid("timeline"), "sync-stock").await;
        save(page, &folder, "timeline").await;
        page.set_dark(true).await;
        save(page, &folder, "timeline-dark").await;
        page.set_dark(false).await;
        page.load_live("#/runs").await;
        page.sees(&testid("run-row"), "import-orders").await;
        save(page, &folder, "runs").await;
        page.load_live("#/skipped").await;
        page.sees(&testid("skipped-row"), "sync-stock").await;
        save(page, &folder, "skipped").await;
        page.load_live("#/nodes").await;
        page.sees(&testid("node-row"), "web-2").await;
        save(page, &folder, "nodes").await;
        page.resize(390, 844).await;
        page.load_live("#/jobs").await;
        page.has(11, &testid("job-row")).await;
        save(page, &folder, "phone").await;
        page.load_live("#/timeline").await;
        page.sees(&testid("timeline"), "sync-stock").await;
        save(page, &folder, "phone-timeline").await;
    });
    play.await;
}
