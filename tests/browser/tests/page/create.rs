//! New jobs.

use scheduler_browser_tests::{testid, until};
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::service;

#[tokio::test]
async fn every_weekday_at_nine_in_berlin() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&testid("new-job")).await;
        page.choose(&testid("new-task"), "greet").await;
        page.fill(&testid("new-id"), "morning-greeting").await;
        page.fill(&testid("trigger-text"), "cron 0 9 * * mon-fri")
            .await;
        page.fill(&testid("trigger-zone"), "Europe/Berlin").await;

        // The meaning of the trigger is shown before anything is saved, and matches the API.
        page.sees(&format!("{} th", testid("preview-fires")), "Europe/Berlin")
            .await;
        let preview =
            json!({ "trigger": "cron 0 9 * * mon-fri", "timezone": "Europe/Berlin", "count": 10 });
        let preview = scene.service.api().post("preview", &preview).await;
        page.sees(
            &testid("preview-description"),
            preview["description"].as_str().unwrap(),
        )
        .await;
        page.has(10, &testid("preview-fire")).await;
        let rows = page
            .texts(&format!("{} tbody tr", testid("preview-fires")))
            .await;
        for (row, fire) in rows.iter().zip(preview["fires"].as_array().unwrap()) {
            assert!(row.contains(" 09:00:00 +0"), "{row}");
            let utc = fire["utc"].as_str().unwrap();
            let (date, time) = utc.trim_end_matches('Z').split_once('T').unwrap();
            assert!(
                row.contains(&format!("{date} {time}")),
                "{row} has no {utc}"
            );
        }
        assert_eq!(
            scene.service.api().status("jobs/morning-greeting").await,
            404
        );

        page.fill(&testid("argument-name"), "Zoë").await;
        page.fill(&testid("argument-times"), "3").await;
        page.choose(&testid("argument-loud"), "true").await;
        page.fill(&testid("argument-tags"), "[\"a\", \"b\"]").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("new-dialog")).await;
        page.sees(&testid("toast"), "morning-greeting").await;
        let row = "[data-id=\"morning-greeting\"]";
        page.sees(row, "Europe/Berlin").await;
        page.sees(row, preview["description"].as_str().unwrap())
            .await;

        let job = scene.service.api().job("morning-greeting").await;
        assert_eq!(job["task"], "greet");
        assert_eq!(job["timezone"], "Europe/Berlin");
        assert_eq!(job["origin"], "dynamic");
        assert_eq!(job["trigger"], preview["trigger"]);
        assert_eq!(
            job["next_fire"]["scheduled_for"],
            preview["fires"][0]["utc"]
        );
        let arguments = json!({ "name": "Zoë", "times": 3, "loud": true, "tags": ["a", "b"] });
        for (name, value) in arguments.as_object().unwrap() {
            assert_eq!(&job["arguments"][name], value, "{job}");
        }

        // The job is also in the database, not only in the service's answers.
        let file = SqliteConnectOptions::new().filename(scene.service.database());
        let mut database = file.read_only(true).connect().await.unwrap();
        let stored: (String, String) = sqlx::query_as(
            "SELECT task, trigger FROM scheduler_jobs WHERE id = 'morning-greeting'",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        assert_eq!(stored.0, "greet");
        assert!(stored.1.contains("Europe/Berlin"), "{}", stored.1);
    });
    play.await;
}

#[tokio::test]
async fn mistakes_are_shown_at_their_field() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click(&testid("new-job")).await;
        page.choose(&testid("new-task"), "greet").await;
        page.fill(&testid("new-id"), "repaired").await;

        // The error is shown during typing.
        page.fill(&testid("trigger-text"), "cron 0 25 * * *").await;
        page.sees(&testid("error-trigger"), "hour").await;
        page.fill(&testid("trigger-text"), "cron 0 9 * * *").await;
        page.fill(&testid("trigger-zone"), "Europe/Berln").await;
        page.sees(&testid("error-timezone"), "Europe/Berlin").await;
        page.reads(&testid("error-trigger"), "").await;
        page.fill(&testid("trigger-zone"), "").await;
        page.has(10, &testid("preview-fire")).await;

        // Errors that the page itself finds, and errors that only the server finds.
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-arguments.times"), "needed").await;
        page.fill(&testid("argument-name"), "x").await;
        page.fill(&testid("argument-times"), "-1").await;
        page.choose(&testid("argument-loud"), "false").await;
        page.fill(&testid("argument-tags"), "[]").await;
        page.click(&testid("dialog-submit")).await;
        until("the number is refused at its field", async || {
            let texts = page.texts(&testid("error-arguments.times")).await;
            if texts.iter().any(|text| !text.is_empty()) {
                Ok(())
            } else {
                Err(format!("{texts:?}"))
            }
        })
        .await;
        page.fill(&testid("argument-times"), "1").await;
        page.fill(&testid("new-id"), "heartbeat").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-id"), "heartbeat").await;
        page.has(1, &testid("new-dialog")).await;
        page.fill(&testid("new-id"), "repaired").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("new-dialog")).await;
        assert_eq!(
            scene.service.api().job("repaired").await["arguments"]["times"],
            1
        );
    });
    play.await;
}
