//! Content of the page that is invisible, to everyone or without a mouse.

use scheduler_browser_tests::{Key, testid};
use serde_json::json;

use crate::{add_greeting, in_row, newest_run, service};

/// Displayed reversed, it reads `payroll`; the other one contains a zero-width character.
const TURNED: &str = "pay\u{202e}llor";
const WIDTHLESS: &str = "pay\u{200b}roll";

#[tokio::test]
async fn characters_that_nobody_sees_are_shown_by_their_numbers() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let others = ["a\u{a0}b", "a\u{34f}b", "©\u{200d}", "👩\u{200d}"];
        for id in [TURNED, WIDTHLESS, "payroll", "zoë-👩\u{200d}🚀"].iter().chain(&others) {
            add_greeting(scene, id).await;
        }
        page.load_live("#/jobs?origin=dynamic").await;
        page.has(8, &testid("job-row")).await;
        for text in [
            "pay\\u202Ellor",
            "pay\\u200Broll",
            "payroll",
            "zoë-👩\u{200d}🚀",
            "a\\u00A0b",
            "a\\u034Fb",
            "©\\u200D",
            "👩\\u200D",
        ] {
            page.reads(&testid("job-link"), text).await;
        }
        let unseen = "return /[\\u200b\\u202e]/.test(document.body.innerText + document.title)";
        let label = format!(
            "return document.querySelector('[data-id=\"{WIDTHLESS}\"] [data-testid=job-pause]').ariaLabel"
        );
        let label = page.script(&label, vec![]).await;
        assert_eq!(label, "Pause pay\\u200Broll");

        // The same in the delete dialog, on the job's page and on a run; it still refers to that job.
        page.click(&in_row(TURNED, "job-delete")).await;
        page.sees("dialog h2", "pay\\u202Ellor").await;
        page.press_key(Key::Escape).await;
        page.has_no("dialog").await;
        page.click(&in_row(TURNED, "job-link")).await;
        page.reads(&testid("heading"), "pay\\u202Ellor").await;
        assert_eq!(page.script(unseen, vec![]).await, false);
        page.click(&testid("job-run")).await;
        newest_run(scene, TURNED, "succeeded").await;
        page.load_live("#/runs?state=succeeded").await;
        page.sees(&testid("run-row"), "pay\\u202Ellor").await;
        assert_eq!(page.script(unseen, vec![]).await, false);
    });
    play.await;
}

#[tokio::test]
async fn long_texts_are_read_with_the_keys() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let job = json!({ "id": "long", "task": "fail_at_length", "trigger": "cron 0 9 1 1 *" });
        scene.service.api().post("jobs", &job).await;
        page.load_live("#/jobs?q=long").await;
        page.click(&in_row("long", "job-run")).await;
        let run = newest_run(scene, "long", "failed").await;
        page.load_live(&format!("#/runs/{}", run["id"].as_str().unwrap()))
            .await;
        page.sees(&testid("run-error-full"), "line 1").await;
        let error = format!("{}[tabindex=\"0\"]", testid("run-error-full"));
        page.tab_to(&error, 30).await;
        page.press_key(Key::End).await;
        let scrolled = format!("return document.querySelector('{error}').scrollTop > 100");
        page.holds("the end of the error is in sight", &scrolled)
            .await;

        // In the list it unfolds.
        page.load_live("#/runs?job=long").await;
        let summary = format!("{} summary", testid("run-error"));
        page.has(1, &summary).await;
        page.tab_to(&summary, 40).await;
        page.press_key(Key::Enter).await;
        page.tab_to(&format!("{} pre[tabindex=\"0\"]", testid("run-error")), 2)
            .await;
    });
    play.await;
}

#[tokio::test]
async fn keys_of_one_character_can_be_switched_off() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.press(['?']).await;
        page.click(&testid("keys-on")).await;
        page.click(&testid("dialog-cancel")).await;
        page.has_no("dialog").await;
        for _ in 0..2 {
            page.press("n?3/".chars()).await;
            page.has_no("dialog").await;
            page.reads(&testid("heading"), "Jobs").await;
            assert!(!page.is_focused(&testid("jobs-filter")).await);
            // The setting is remembered.
            page.load_live("#/jobs").await;
        }
        page.click(&testid("keys-button")).await;
        page.click(&testid("keys-on")).await;
        page.press_key(Key::Escape).await;
        page.has_no("dialog").await;
        page.press(['3']).await;
        page.reads(&testid("heading"), "Runs").await;
    });
    play.await;
}

#[tokio::test]
async fn preview_has_the_time_of_whoever_looks() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let zone = json!({ "timezoneId": "America/New_York" });
        page.devtools("Emulation.setTimezoneOverride", zone).await;
        page.load_live("#/jobs").await;
        page.click(&testid("new-job")).await;
        page.choose(&testid("new-task"), "rest").await;
        page.fill(&testid("trigger-text"), "cron 30 9 10 1 *").await;
        page.fill(&testid("trigger-zone"), "Asia/Tokyo").await;
        let heads = format!("{} th", testid("preview-fires"));
        page.sees(&heads, "Asia/Tokyo").await;
        let zones = page.texts(&heads).await;
        assert_eq!(zones, ["Asia/Tokyo", "America/New_York (here)", "UTC"]);
        let rows = page
            .texts(&format!("{} tbody tr", testid("preview-fires")))
            .await;
        for part in [
            "-01-10 09:30:00 +09:00",
            "-01-09 19:30:00",
            "-01-10 00:30:00",
        ] {
            assert!(rows[0].contains(part), "{rows:?}");
        }
        page.has(10, &testid("preview-here")).await;

        // No zone appears twice.
        page.fill(&testid("trigger-zone"), "America/New_York").await;
        page.has(2, &heads).await;
        assert_eq!(page.texts(&heads).await, ["America/New_York", "UTC"]);
        page.fill(&testid("trigger-zone"), "UTC").await;
        page.reads(&format!("{heads}:first-child"), "UTC").await;
        assert_eq!(page.texts(&heads).await, ["UTC", "America/New_York (here)"]);
    });
    play.await;
}
