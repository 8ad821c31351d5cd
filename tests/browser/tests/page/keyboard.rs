//! Using the page without a mouse.

use scheduler_browser_tests::{Key, testid};

use crate::{add_greeting, in_row, newest_run, service};

#[tokio::test]
async fn a_job_is_found_and_run() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.has(5, &testid("job-row")).await;
        page.press(['/']).await;
        page.has_focus(&testid("jobs-filter")).await;
        page.press("broken".chars()).await;
        page.has(1, &testid("job-row")).await;
        page.tab_to(&in_row("broken-import", "job-run"), 10).await;
        page.press_key(Key::Enter).await;
        newest_run(scene, "broken-import", "failed").await;
        page.has(1, &in_row("broken-import", "outcome")).await;
        // The row may be redrawn meanwhile; the focus stays.
        page.has_focus(&in_row("broken-import", "job-run")).await;
        let shift_tab = [Key::Shift, Key::Tab].map(char::from);
        page.press_chord(shift_tab).await;
        page.has_focus(&in_row("broken-import", "outcome")).await;
        page.press_key(Key::Enter).await;
        page.sees(&testid("run-error-full"), "row 7").await;
        page.has_focus(&testid("heading")).await;
    });
    play.await;
}

#[tokio::test]
async fn dialogs_close_and_give_the_focus_back() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, "mortal").await;
        page.load_live("#/jobs").await;
        page.has(6, &testid("job-row")).await;
        for (button, dialog) in [
            (in_row("mortal", "job-pause"), "pause-dialog"),
            (in_row("mortal", "job-edit"), "trigger-dialog"),
            (in_row("mortal", "job-delete"), "delete-dialog"),
            (testid("new-job"), "new-dialog"),
            (testid("keys-button"), "keys-dialog"),
        ] {
            page.script(
                "document.querySelector(arguments[0]).focus()",
                vec![button.clone().into()],
            )
            .await;
            page.press_key(Key::Enter).await;
            page.has(1, &testid(dialog)).await;
            page.holds(
                "the focus is in the dialog",
                "return document.activeElement.closest('dialog') !== null",
            )
            .await;
            // Nor does the focus leave the dialog.
            for _ in 0..3 {
                page.press_key(Key::Tab).await;
            }
            page.holds(
                "the focus is in the dialog, or in the browser's own bars",
                "return document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
            )
            .await;
            page.press_key(Key::Escape).await;
            page.has_no(&testid(dialog)).await;
            page.has_focus(&button).await;
        }

        // With the page's keyboard shortcuts.
        page.press(['n']).await;
        page.has(1, &testid("new-dialog")).await;
        page.has_focus(&testid("new-task")).await;
        page.tab_to(&testid("trigger-text"), 5).await;
        // In a field, the same keys type letters.
        page.press("n/?1".chars()).await;
        page.has_value(&testid("trigger-text"), "n/?1").await;
        page.press_key(Key::Escape).await;
        page.has_no("dialog").await;
        page.press(['?']).await;
        page.has(1, &testid("keys-dialog")).await;
        page.press_key(Key::Escape).await;
        page.has_no("dialog").await;
        for (key, heading) in ["Jobs", "Timeline", "Runs", "Nodes", "Skipped"].into_iter().enumerate() {
            page.press([char::from(b'1' + u8::try_from(key).unwrap())]).await;
            page.reads(&testid("heading"), heading).await;
        }
        assert_eq!(scene.service.api().job("mortal").await["state"], "scheduled");
    });
    play.await;
}

#[tokio::test]
async fn a_job_is_paused_and_the_focus_stays_in_its_row() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs?q=heartbeat").await;
        page.has(1, &testid("job-row")).await;
        page.press(['/']).await;
        page.tab_to(&in_row("heartbeat", "job-pause"), 20).await;
        page.press_key(Key::Space).await;
        page.has_focus(&testid("pause-note")).await;
        page.press("by hand".chars()).await;
        page.press_key(Key::Enter).await;
        page.has_no("dialog").await;
        page.sees(&in_row("heartbeat", "paused-note"), "by hand")
            .await;
        page.has_focus("[data-id=\"heartbeat\"] *").await;
        assert_eq!(
            scene.service.api().job("heartbeat").await["paused_note"],
            "by hand"
        );
    });
    play.await;
}

#[tokio::test]
async fn the_first_tab_skips_to_the_content() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/runs").await;
        page.press_key(Key::Tab).await;
        page.has_focus("#skip").await;
        page.press_key(Key::Enter).await;
        page.has_focus(&testid("heading")).await;
        assert_eq!(page.view().await, "#/runs");
    });
    play.await;
}
