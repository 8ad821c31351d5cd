//! The page of one job.

use scheduler_browser_tests::testid;

use crate::{add_greeting, service};

#[tokio::test]
async fn says_where_it_comes_from() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs/heartbeat").await;
        let told = page
            .sees(&testid("job-location"), "page_service/tasks.rs:")
            .await;
        let location = scene.service.api().job("heartbeat").await["location"].clone();
        let (file, line) = told.rsplit_once(':').unwrap();
        assert_eq!(location["file"], file);
        assert_eq!(location["line"].to_string(), line);
        let source = include_str!("../../src/bin/page_service/tasks.rs");
        let line: usize = line.parse().unwrap();
        let near: Vec<&str> = source.lines().skip(line - 2).take(3).collect();
        assert!(
            near.join("\n").contains("heartbeat"),
            "line {line}: {near:?}"
        );

        page.has(1, &testid("next-fires")).await;
        page.sees(&testid("run-row"), "attempt 1").await;
        page.has_no(&testid("job-delete")).await;
        // Back to the list.
        page.click(&testid("back")).await;
        page.reads(&testid("heading"), "Jobs").await;
    });
    play.await;
}

#[tokio::test]
async fn has_fires_in_its_own_zone_too() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        add_greeting(scene, "berlin").await;
        page.load_live("#/jobs/berlin").await;
        page.sees(&format!("{} th", testid("next-fires")), "Europe/Berlin")
            .await;
        let row = page
            .sees(&format!("{} tbody tr", testid("next-fires")), "09:00:00")
            .await;
        assert!(row.contains("08:00:00"), "{row}");
        assert!(row.contains("-01-01"), "{row}");
    });
    play.await;
}

#[tokio::test]
async fn has_an_editor_for_arguments() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "greeting").await;
        page.load_live("#/jobs/greeting").await;
        page.sees(&testid("job-arguments-json"), "\"Ada\"").await;

        page.click(&testid("job-arguments")).await;
        page.has_value(&testid("argument-name"), "Ada").await;
        page.has_value(&testid("argument-times"), "2").await;
        page.fill(&testid("argument-name"), "Grace <i>").await;
        page.choose(&testid("argument-loud"), "true").await;
        page.fill(&testid("argument-ratio"), "half").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-arguments.ratio"), "Expected a number")
            .await;
        page.fill(&testid("argument-ratio"), "0.5").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("arguments-dialog")).await;
        page.sees(&testid("job-arguments-json"), "Grace <i>").await;
        let arguments = api.job("greeting").await["arguments"].clone();
        assert_eq!(arguments["name"], "Grace <i>");
        assert_eq!(arguments["loud"], true);
        assert_eq!(arguments["ratio"], 0.5);
        assert_eq!(arguments["times"], 2);
        assert_eq!(arguments["tags"], serde_json::json!(["x"]));

        // Edited as JSON, for values that the fields cannot hold.
        page.click(&testid("job-arguments")).await;
        page.click(&testid("arguments-toggle")).await;
        let text = r#"{"name": "Lin", "times": "many", "loud": false, "tags": []}"#;
        page.fill(&testid("arguments-json"), text).await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&format!("{} .error", testid("arguments-dialog")), "times")
            .await;
        page.fill(&testid("arguments-json"), &text.replace("\"many\"", "9"))
            .await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("arguments-dialog")).await;
        assert_eq!(api.job("greeting").await["arguments"]["times"], 9);
    });
    play.await;
}

#[tokio::test]
async fn has_an_editor_for_policies() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        add_greeting(scene, "greeting").await;
        page.load_live("#/jobs/greeting").await;
        page.click(&testid("job-policies")).await;
        page.fill(&testid("policy-retries"), "2").await;
        page.fill(&testid("policy-timeout"), "soon").await;
        page.click(&testid("dialog-submit")).await;
        page.sees(&testid("error-policies.timeout"), "soon").await;
        page.fill(&testid("policy-timeout"), "45s").await;
        page.click(&testid("dialog-submit")).await;
        page.has_no(&testid("policies-dialog")).await;
        let policies = api.job("greeting").await["policies"].clone();
        assert_eq!(policies["retries"], 2, "{policies}");
        assert_eq!(policies["timeout"], "45s", "{policies}");
    });
    play.await;
}
