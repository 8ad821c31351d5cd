//! Arguments with `#[arg(secret)]`: no answer of the API contains them, and edits keep them.

use axum::body::Body;
use axum::http::Request;
use scheduler_core::prelude::*;
use serde_json::{Value, json};

use crate::support::{Service, on_each_store, with_body};

const SECRET: &str = "hunter2";

#[task]
pub(crate) async fn http_sign_in(
    host: String,
    #[arg(secret)] password: String,
    #[arg(default, secret)] pin: u16,
) -> Result<String, String> {
    // What a task itself returns is its own responsibility.
    Ok(format!("{host}: {}", password.len() + usize::from(pin)))
}

fn with_tag(tag: &str, body: &Value) -> Request<Body> {
    let mut request = with_body("PATCH", "/api/jobs/in", &body.to_string());
    request
        .headers_mut()
        .insert("if-match", tag.parse().unwrap());
    request
}

async fn stored(service: &Service) -> Value {
    let job = service.scheduler.find_job("in").await.unwrap();
    serde_json::to_value(&job.arguments).unwrap()
}

on_each_store! {
    async fn no_answer_has_a_secret(service) {
        let job = http_sign_in::job("db1".into(), SECRET.into(), 4711).id("in").interval("1h");
        service.scheduler.add_job(job).await.unwrap();
        let run = service.run_to_its_end("in").await;
        let read = service.get("/api/jobs/in").await;
        let shown = json!({"host": "db1", "password": "***", "pin": "***"});
        assert_eq!(read.json()["arguments"], shown);
        let run = format!("/api/runs/{run}");
        for path in ["/api/jobs", "/api/jobs/in", "/api/runs", "/api/upcoming", "/api/tasks", &run] {
            let text = service.get(path).await.text();
            assert!(!text.contains(SECRET) && !text.contains("4711"), "{path}: {text}");
        }
        // A conflict contains the current job and the rejected change.
        let stale = with_tag("\"0123456789abcdef\"", &json!({"arguments": {"host": "x", "password": SECRET}}));
        let conflict = service.send(stale).await.problem(412);
        assert_eq!(conflict["yours"]["arguments"], json!({"host": "x", "password": "***"}));
        assert!(!conflict.to_string().contains(SECRET), "{conflict}");
    }

    async fn edit_keeps_a_secret_that_is_sent_back_as_it_is_shown(service) {
        let job = http_sign_in::job("db1".into(), SECRET.into(), 4711).id("in").interval("1h");
        service.scheduler.add_job(job).await.unwrap();
        let read = service.get("/api/jobs/in").await;
        let mut arguments = read.json()["arguments"].clone();
        arguments["host"] = json!("db2");
        let edited = service.patch("/api/jobs/in", json!({"arguments": arguments})).await;
        assert_eq!(edited.expect(200)["arguments"]["host"], "db2");
        assert_eq!(stored(&service).await, json!({"host": "db2", "password": SECRET, "pin": 4711}));

        // The revision that was read protects a later edit from being reverted.
        let stale = with_tag(read.header("etag"), &json!({"arguments": arguments}));
        service.send(stale).await.problem(412);
        let body = json!({"arguments": arguments, "revision": read.json()["revision"]});
        service.patch("/api/jobs/in", body).await.problem(412);

        // A new value replaces the secret, and an argument that is left out is removed.
        let body = json!({"arguments": {"host": "***", "password": "new"}});
        let edited = service.patch("/api/jobs/in", body).await.expect(200);
        assert_eq!(edited["arguments"], json!({"host": "***", "password": "***"}));
        assert_eq!(stored(&service).await, json!({"host": "***", "password": "new"}));
        let kept_nothing = json!({"arguments": {"host": "db1", "password": "x", "pin": "***"}});
        let message = service.patch("/api/jobs/in", kept_nothing).await.field("arguments.pin");
        assert!(message.contains("write the value"), "{message}");
    }

    async fn error_about_a_secret_does_not_repeat_it(service) {
        let job = json!({
            "id": "in", "task": "http_sign_in", "trigger": "every 1h",
            "arguments": {"host": "db1", "password": "x", "pin": SECRET},
        });
        let refused = service.post("/api/jobs", job).await;
        let message = refused.field("arguments.pin");
        assert!(message.contains("is not of type `u16`") && !refused.text().contains(SECRET), "{message}");

        let as_shown = json!({
            "id": "in", "task": "http_sign_in", "trigger": "every 1h",
            "arguments": {"host": "db1", "password": "***"},
        });
        let message = service.post("/api/jobs", as_shown).await.field("arguments.password");
        assert!(message.contains("write the value"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn task_says_which_of_its_arguments_are_secret() {
    let service = Service::memory().await;
    let tasks = service.get("/api/tasks").await.expect(200);
    let tasks = tasks["items"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["name"] == "http_sign_in");
    let task = task.unwrap();
    let secrets = task["parameters"].as_array().unwrap().iter();
    let secrets: Vec<_> = secrets.map(|parameter| &parameter["secret"]).collect();
    assert_eq!(secrets, [false, true, true]);
    let schemas = &task["arguments_schema"]["properties"];
    assert_eq!(schemas["password"]["writeOnly"], true);
    assert!(schemas["host"].get("writeOnly").is_none());
}
