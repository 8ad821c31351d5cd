//! Everything that the page can show, for rules that must hold everywhere.

use scheduler_browser_tests::{Page, Scene, testid};
use serde_json::json;

use crate::{add_greeting, newest_run};

/// A view, and the element that is shown once everything has loaded.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) view: String,
    shown: &'static str,
}

impl Stop {
    /// Goes there without reloading the page, and waits for the view.
    pub(crate) async fn visit(&self, page: &Page) {
        let script = "location.hash = arguments[0]";
        page.script(script, vec![json!(self.view)]).await;
        page.holds(
            &format!("{} is shown", self.view),
            &format!(
                "return document.querySelectorAll('#view {}').length > 0
                    && !document.querySelector('[aria-busy]') && document.getElementById('view-error').hidden",
                self.shown
            ),
        )
        .await;
        if self.view.starts_with("#/timeline") {
            page.click(&format!("{} summary", testid("timeline-as-table")))
                .await;
        }
    }
}

/// Returns every view of a service in which something has happened, partly with long texts.
pub(crate) async fn stops(scene: &Scene) -> Vec<Stop> {
    let api = scene.service.api();
    let long = format!("a-long-id-{}", "without-end".repeat(18));
    add_greeting(scene, &long).await;
    api.post(&format!("jobs/{long}/run"), &json!({})).await;
    api.post(
        &format!("jobs/{long}/pause"),
        &json!({ "note": "a note ".repeat(40) }),
    )
    .await;
    let _ = newest_run(scene, &long, "succeeded").await;
    api.post("jobs/broken-import/run", &json!({})).await;
    let failed = newest_run(scene, "broken-import", "failed").await;
    api.post("jobs/slow-export/run", &json!({})).await;
    newest_run(scene, "slow-export", "running").await;
    newest_run(scene, "overrun", "succeeded").await;

    let stop = |view: &str, shown| Stop {
        view: view.to_owned(),
        shown,
    };
    vec![
        stop("#/jobs", "[data-testid=job-row]"),
        stop("#/jobs?q=nothing-like-it", "[data-testid=jobs-empty]"),
        stop("#/jobs/heartbeat", "[data-testid=run-row]"),
        stop(&format!("#/jobs/{long}"), "[data-testid=run-row]"),
        stop("#/timeline?hours=1", "[data-testid=timeline-fire]"),
        stop("#/runs", "[data-testid=run-row]"),
        stop(
            &format!("#/runs/{}", failed["id"].as_str().unwrap()),
            "[data-testid=run-error-full]",
        ),
        stop("#/nodes", "[data-testid=node-row]"),
        stop("#/skipped", "[data-testid=skipped-row]"),
    ]
}

/// A dialog, and the button that opens it in the list of jobs.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) name: &'static str,
    opener: &'static str,
}

impl Dialog {
    /// Opens the dialog by a click in the list of jobs.
    pub(crate) async fn open(&self, page: &Page) {
        page.click(self.opener).await;
        page.has(1, &testid(self.name)).await;
        if self.name == "new-dialog" {
            page.fill(&testid("trigger-text"), "cron 0 9 * * mon-fri")
                .await;
            page.fill(&testid("trigger-zone"), "America/Argentina/ComodRivadavia")
                .await;
            page.has(10, &testid("preview-fire")).await;
            page.click(&format!("{} summary", testid("new-policies")))
                .await;
        }
        if self.name == "trigger-dialog" {
            page.has(10, &testid("preview-fire")).await;
        }
    }
}

/// The dialogs that the list of jobs opens.
pub(crate) const DIALOGS: [Dialog; 4] = [
    Dialog {
        name: "new-dialog",
        opener: "[data-testid=new-job]",
    },
    Dialog {
        name: "trigger-dialog",
        opener: "[data-id=heartbeat] [data-testid=job-edit]",
    },
    Dialog {
        name: "pause-dialog",
        opener: "[data-id=heartbeat] [data-testid=job-pause]",
    },
    Dialog {
        name: "keys-dialog",
        opener: "[data-testid=keys-button]",
    },
];
