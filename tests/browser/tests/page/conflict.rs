//! Two people edit the same job.

use scheduler_browser_tests::{Page, Scene, testid};
use serde_json::{Value, json};

use crate::{add_greeting, in_row, service};

/// Returns the selector of the comparison's row for this field.
fn row(name: &str) -> String {
    format!("[data-testid=\"conflict-row\"][data-name=\"{name}\"]")
}

/// Changes the job over the API, like another client.
async fn elsewhere(scene: &Scene, body: Value) -> Value {
    let path = "jobs/shared/reschedule";
    scene.service.api().post(path, &body).await
}

async fn begin(page: &Page, text: &str) {
    page.click(&in_row("shared", "job-edit")).await;
    page.fill(&testid("trigger-text"), text).await;
    page.has(10, &testid("preview-fire")).await;
}

#[tokio::test]
async fn the_change_of_another_operator_is_shown_before_it_is_undone() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "shared").await;
        page.load_live("#/jobs?q=shared").await;
        begin(page, "cron 0 3 * * *").await;
        let theirs =
            elsewhere(scene, json!({"trigger": "cron 0 2 * * *"})).await["trigger"].clone();
        page.click(&testid("dialog-submit")).await;

        // All three values: the original one, the one entered here, and the current one.
        page.sees(&row("trigger"), "cron 0 3 * * * timezone=Europe/Berlin")
            .await;
        let shown = page.sees(&row("trigger"), theirs.as_str().unwrap()).await;
        assert!(shown.contains("cron 0 9 1 1 *"), "{shown}");
        let all = "const it = document.querySelector('[data-testid=conflict]'); return it.scrollHeight <= it.clientHeight + 1";
        page.holds("the whole comparison is in sight", all).await;
        page.sees(&testid("conflict"), "Somebody has changed")
            .await;
        assert_eq!(api.job("shared").await["trigger"], theirs);
        page.has_value(&testid("trigger-text"), "cron 0 3 * * *")
            .await;

        // The operator decides to overwrite.
        page.reads(&testid("dialog-submit"), "Save trigger over it")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("trigger-dialog")).await;
        let trigger = api.job("shared").await["trigger"].clone();
        assert!(
            trigger.as_str().unwrap().starts_with("cron 0 3"),
            "{trigger}"
        );

        // Or to keep it: another part of the job, which this change would not have reverted.
        page.sees(&in_row("shared", "job-description"), "03:00")
            .await;
        begin(page, "cron 0 4 * * *").await;
        api.post("jobs/shared/pause", &json!({"note": "wait"}))
            .await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&row("paused"), "wait").await;
        page.click(&testid("conflict-take")).await;
        page.has_no(&format!("{}:not([hidden])", testid("dialog-error"))).await;
        page.has_no(&format!("{}:not([hidden])", testid("conflict")))
            .await;
        page.has_value(&testid("trigger-text"), "cron 0 3 * * *")
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("trigger-dialog")).await;
        let job = api.job("shared").await;
        assert_eq!(
            (&job["trigger"], &job["paused_note"]),
            (&trigger, &json!("wait"))
        );
    });
    play.await;
}

#[tokio::test]
async fn a_job_that_was_edited_meanwhile_is_not_deleted_unseen() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, "shared").await;
        page.load_live("#/jobs?q=shared").await;
        page.click(&in_row("shared", "job-delete")).await;
        elsewhere(scene, json!({"trigger": "every 2h"})).await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("dialog-error"), "every 2h").await;
        assert_eq!(scene.service.api().status("jobs/shared").await, 200);
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("delete-dialog")).await;
        assert_eq!(scene.service.api().status("jobs/shared").await, 404);
    });
    play.await;
}

#[tokio::test]
async fn argument_that_somebody_else_added_is_shown_as_removed_before_it_is() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "shared").await;
        page.load_live("#/jobs/shared").await;
        page.click(&testid("job-arguments")).await;
        page.fill(&testid("argument-name"), "Grace").await;
        // The other client also changes the name, and adds an argument.
        let theirs =
            json!({"name": "Edsger", "times": 2, "loud": true, "ratio": 1.5, "tags": ["x"]});
        let theirs = json!({ "arguments": theirs });
        api.patch("jobs/shared", &theirs).await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&row("arguments.name"), "Edsger").await;
        page.sees(&row("arguments.ratio"), "removed").await;
        page.sees(&row("arguments.loud"), "true").await;
        page.has_no(&row("arguments.tags")).await;
        page.has_no(&row("task")).await;
        let focus = "return document.activeElement.dataset.testid";
        assert_eq!(page.script(focus, vec![]).await, "conflict");
    });
    play.await;
}

#[tokio::test]
async fn policies_that_were_left_alone_follow_those_of_somebody_else() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "shared").await;
        page.load_live("#/jobs/shared").await;
        page.click(&testid("job-policies")).await;
        page.fill(&testid("policy-max_instances"), "3").await;
        api.patch("jobs/shared", &json!({"policies": {"retries": 5}}))
            .await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&row("policies.retries"), "5").await;
        page.sees(&row("policies.max_instances"), "3").await;
        // The fields show the current values; what is typed is saved.
        page.has_value(&testid("policy-retries"), "5").await;
        page.fill(&testid("policy-max_instances"), "1").await;
        page.fill(&testid("policy-retries"), "0").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("policies-dialog")).await;
        let policies = api.job("shared").await["policies"].clone();
        assert_eq!(
            (&policies["retries"], &policies["max_instances"]),
            (&json!(0), &json!(1))
        );

        page.click(&testid("job-policies")).await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("toast"), "Nothing was changed").await;
    });
    play.await;
}
