//! Secret arguments: the page does not receive them, and an edit leaves them unchanged.

use scheduler_browser_tests::testid;

use crate::{in_row, newest_run, service};

#[tokio::test]
async fn edit_of_another_argument_leaves_a_secret_that_the_page_never_saw() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&testid("new-job")).await;
        page.choose(&testid("new-task"), "sign_in").await;
        page.fill(&testid("new-id"), "signed").await;
        page.fill(&testid("trigger-text"), "cron 0 9 1 1 *").await;
        page.fill(&testid("argument-host"), "db1").await;
        page.fill(&testid("argument-password"), "hunter2").await;
        page.fill(&testid("argument-code"), "4711").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("new-dialog")).await;

        page.load_live("#/jobs/signed").await;
        let shown = page.sees(&testid("job-arguments-json"), "***").await;
        assert!(
            !shown.contains("hunter2") && !shown.contains("4711"),
            "{shown}"
        );
        page.click(&testid("job-arguments")).await;
        page.has_value(&testid("argument-password"), "***").await;
        page.fill(&testid("argument-host"), "db-two").await;
        page.fill(&testid("argument-code"), "x").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-arguments.code"), "not JSON").await;
        page.fill(&testid("argument-code"), "0").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("arguments-dialog")).await;

        page.load_live("#/jobs?q=signed").await;
        page.click(&in_row("signed", "job-run")).await;
        let run = newest_run(scene, "signed", "succeeded").await;
        assert_eq!(run["value"], "db-two 7 false", "{run}");
    });
    play.await;
}
