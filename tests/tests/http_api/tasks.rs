//! Tasks and the schemas of their arguments.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::Service;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    number: u64,
}

#[task]
#[allow(clippy::too_many_arguments, reason = "one parameter of each kind")]
async fn http_many(
    _ctx: JobContext,
    flag: bool,
    count: u16,
    offset: i64,
    ratio: f32,
    name: String,
    letter: char,
    note: Option<String>,
    tags: Vec<String>,
    limits: HashMap<String, u8>,
    at: DateTime<Utc>,
    wait: Duration,
    order: Order,
    #[arg(default)] tries: u8,
) {
    let _ = (
        flag, count, offset, ratio, name, letter, note, tags, limits, at, wait, order, tries,
    );
}

async fn task(service: &Service, name: &str) -> Value {
    let list = service.get("/api/tasks").await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert!(
        items
            .iter()
            .is_sorted_by_key(|task| task["name"].as_str().unwrap())
    );
    items
        .iter()
        .find(|task| task["name"] == name)
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn a_task_tells_what_its_jobs_give() {
    let service = Service::memory().await;
    let task = task(&service, "http_many").await;
    assert_eq!(
        (&task["is_sync"], &task["creatable"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(task["location"]["module"], "http_api::tasks");
    assert!(task["location"]["line"].is_u64());
    let parameters = task["parameters"].as_array().unwrap();
    assert_eq!(parameters.len(), 13);
    assert_eq!(
        parameters[0],
        json!({"name": "flag", "type": "bool", "required": true, "secret": false})
    );
    assert_eq!(
        parameters[6],
        json!({"name": "note", "type": "Option<String>", "required": false, "secret": false})
    );
    assert_eq!(
        parameters[12],
        json!({"name": "tries", "type": "u8", "required": false, "secret": false})
    );

    let schema = &task["arguments_schema"];
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["required"],
        json!([
            "flag", "count", "offset", "ratio", "name", "letter", "tags", "limits", "at", "wait",
            "order",
        ])
    );
    let properties = &schema["properties"];
    assert_eq!(
        properties["count"],
        json!({"type": "integer", "minimum": 0, "maximum": 65_535})
    );
    assert_eq!(
        properties["note"],
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]})
    );
    assert_eq!(properties["limits"]["additionalProperties"]["maximum"], 255);
    assert_eq!(
        properties["at"],
        json!({"type": "string", "format": "date-time"})
    );
    assert_eq!(properties["wait"]["required"], json!(["secs", "nanos"]));
    assert_eq!(properties["order"], json!({"x-rust-type": "Order"}));
}

/// A job accepts exactly what the schema describes.
#[tokio::test(start_paused = true)]
async fn the_schema_is_true() {
    let service = Service::memory().await;
    let router = crate::support::web(&service.scheduler)
        .allow_tasks(["http_many"])
        .router();
    let arguments = json!({
        "flag": true, "count": 65_535, "offset": i64::MIN, "ratio": 0.5, "name": "", "letter": "ä",
        "note": null, "tags": ["a"], "limits": {"x": 255}, "at": "2026-01-01T00:00:00Z",
        "wait": {"secs": 1, "nanos": 0}, "order": {"number": 1},
    });
    let create = |arguments: &Value| {
        let body = json!({"task": "http_many", "trigger": "1h", "arguments": arguments});
        crate::support::send(
            &router,
            crate::support::with_body("POST", "/api/jobs", &body.to_string()),
        )
    };
    create(&arguments).await.expect(201);
    for (name, value) in [
        ("flag", json!(1)),
        ("count", json!(65_536)),
        ("offset", json!(0.5)),
        ("ratio", json!("1")),
        ("name", json!(null)),
        ("letter", json!("ab")),
        ("note", json!(1)),
        ("tags", json!("a")),
        ("limits", json!({"x": 256})),
        ("at", json!("today")),
        ("wait", json!("1s")),
        ("order", json!({})),
        ("tries", json!(-1)),
    ] {
        let mut arguments = arguments.clone();
        arguments[name] = value;
        create(&arguments).await.field(&format!("arguments.{name}"));
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_that_may_be_created_are_told_apart() {
    let service = Service::memory().await;
    assert_eq!(task(&service, "http_greet").await["creatable"], true);
    assert_eq!(task(&service, "http_secret").await["creatable"], false);
    assert_eq!(
        service.get("/api/session").await.expect(200)["creatable_tasks"],
        4
    );
}
