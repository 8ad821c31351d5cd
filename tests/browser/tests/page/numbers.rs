//! Numbers that JavaScript would round or write differently.

use scheduler_browser_tests::{Page, Scene, testid};

use crate::{in_row, newest_run, service};

/// The smallest positive integer that a double cannot represent.
const LARGE: &str = "9007199254740993";

/// Returns the arguments of the service as text: numbers are compared as they are written.
async fn arguments(scene: &Scene, id: &str) -> String {
    scene.service.api().job(id).await["arguments"].to_string()
}

async fn begin(page: &Page, id: &str) {
    page.load_live("#/jobs").await;
    page.click(&testid("new-job")).await;
    page.choose(&testid("new-task"), "keep_numbers").await;
    page.fill(&testid("new-id"), id).await;
    page.fill(&testid("trigger-text"), "cron 0 9 1 1 *").await;
}

#[tokio::test]
async fn numbers_written_as_json_arrive_and_are_shown_unchanged() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        begin(page, "as-json").await;
        page.click(&testid("arguments-toggle")).await;
        let written = r#"{"account": 9007199254740993, "others": [-9007199254740993, 1],
            "ratio": 1.0, "more": {"total": 18446744073709551615, "text": "2.0 \" 9007199254740993"}}"#;
        page.fill(&testid("arguments-json"), written).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("new-dialog")).await;
        let stored = arguments(scene, "as-json").await;
        for part in [
            r#""account":9007199254740993"#,
            r#""others":[-9007199254740993,1]"#,
            r#""ratio":1.0"#,
            r#""total":18446744073709551615"#,
        ] {
            assert!(stored.contains(part), "{stored}");
        }

        // Shown exactly, and saved unchanged.
        page.load_live("#/jobs/as-json").await;
        let shown = page.sees(&testid("job-arguments-json"), LARGE).await;
        assert!(shown.contains("\"ratio\": 1.0"), "{shown}");
        assert!(shown.contains("18446744073709551615"), "{shown}");
        page.click(&testid("job-arguments")).await;
        page.has_value(&testid("argument-account"), LARGE).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("arguments-dialog")).await;
        assert_eq!(arguments(scene, "as-json").await, stored);

        // The same for the value that a run returned.
        page.load_live("#/jobs?q=as-json").await;
        page.click(&in_row("as-json", "job-run")).await;
        newest_run(scene, "as-json", "succeeded").await;
        page.load_live("#/runs?job=as-json").await;
        page.reads(&testid("run-value"), LARGE).await;
        page.click(&testid("run-link")).await;
        page.reads(&testid("run-value-full"), LARGE).await;
    });
    play.await;
}

#[tokio::test]
async fn numbers_typed_into_fields_and_lists_arrive_unchanged() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        begin(page, "in-fields").await;
        page.fill(&testid("argument-account"), "18446744073709551615")
            .await;
        page.fill(&testid("argument-others"), "[9007199254740993]")
            .await;
        page.fill(&testid("argument-ratio"), "+01.50").await;
        page.fill(&testid("argument-more"), "[1.0]").await;
        // Switching to the other editor and back loses nothing.
        page.click(&testid("arguments-toggle")).await;
        page.click(&testid("arguments-toggle")).await;
        page.has_value(&testid("argument-account"), "18446744073709551615")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("new-dialog")).await;
        let stored = arguments(scene, "in-fields").await;
        for part in [
            r#""account":18446744073709551615"#,
            r#""others":[9007199254740993]"#,
            r#""ratio":1.5"#,
            r#""more":[1.0]"#,
        ] {
            assert!(stored.contains(part), "{stored}");
        }

        // Editing a list.
        page.load_live("#/jobs/in-fields").await;
        page.click(&testid("job-arguments")).await;
        page.fill(
            &testid("argument-others"),
            "[9007199254740993, 9007199254740995]",
        )
        .await;
        page.fill(&testid("argument-account"), "9007199254740993.5")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-arguments.account"), "whole number")
            .await;
        page.fill(&testid("argument-account"), LARGE).await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("arguments-dialog")).await;
        let stored = arguments(scene, "in-fields").await;
        assert!(
            stored.contains("[9007199254740993,9007199254740995]"),
            "{stored}"
        );
        assert!(stored.contains(r#""account":9007199254740993"#), "{stored}");
    });
    play.await;
}
