//! The API description, and that it is accurate.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::access::{ROUTES, filled};
use crate::support::Service;

async fn document(service: &Service) -> Value {
    service.get("/api/openapi.json").await.expect(200)
}

/// Returns method and path of every operation, including those that need no access.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), format!("/api{path}")))
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_route_is_described_and_nothing_else() {
    let service = Service::memory().await;
    let described = operations(&document(&service).await);
    let open = ["/api/health/live", "/api/health/ready", "/api/openapi.json"];
    let routes = ROUTES.iter().map(|(method, path, _)| (*method, *path));
    let routes = routes.chain(open.map(|path| ("GET", path)));
    let routes = routes.map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, routes.collect());
}

/// The list that the other tests use contains every route of the router.
#[tokio::test(start_paused = true)]
async fn the_router_has_no_other_routes() {
    let service = Service::memory().await;
    let described = operations(&document(&service).await);
    let debug = format!("{:?}", service.router);
    let mut paths: BTreeSet<&str> = debug
        .split('"')
        .filter(|part| part.starts_with("/api/"))
        .collect();
    assert!(
        !paths.is_empty(),
        "the router does not show its routes: {debug}"
    );
    for (_, path) in &described {
        paths.remove(path.as_str());
    }
    assert!(paths.is_empty(), "not described: {paths:?}");
    for (_, path) in &described {
        let allow = service
            .call("TRACE", &filled(path))
            .await
            .header("allow")
            .to_owned();
        for method in allow.split(',').filter(|method| *method != "HEAD") {
            assert!(
                described.contains(&(method.to_owned(), path.clone())),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn operations_are_complete() {
    let service = Service::memory().await;
    let document = document(&service).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "../api");
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(operation["summary"].is_string(), "{at}");
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses {
                assert!(
                    response["description"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty()),
                    "{at}"
                );
                let content = response["content"].as_object();
                let is_problem =
                    content.is_some_and(|it| it.contains_key("application/problem+json"));
                let is_probe = path.starts_with("/health/");
                assert_eq!(
                    is_problem,
                    status.as_str() >= "400" && !is_probe,
                    "{at} {status}"
                );
            }
            let is_json = responses
                .get("200")
                .is_some_and(|answer| answer["content"].get("application/json").is_some());
            let is_conditional = responses.contains_key("304");
            assert_eq!(is_conditional, method == "get" && is_json, "{at}");
            assert!(
                !is_conditional || responses["200"]["headers"]["ETag"].is_object(),
                "{at}"
            );
            let is_open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(responses.contains_key("401"), !is_open, "{at}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{at}: {parameter}");
                assert!(
                    !parameter["schema"].to_string().contains("null"),
                    "{at}: {parameter}"
                );
            }
        }
    }
}

/// Every reference has a target.
#[tokio::test(start_paused = true)]
async fn references_lead_somewhere() {
    let service = Service::memory().await;
    let document = document(&service).await;
    let mut found = std::collections::BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for to in found {
        let pointer = to.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_take_no_other_fields() {
    let service = Service::memory().await;
    let document = document(&service).await;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    let mut bodies =
        std::collections::BTreeSet::from(["#/components/schemas/PolicyPatch".to_owned()]);
    for operation in operations {
        references(&operation["requestBody"], &mut bodies);
    }
    assert!(bodies.len() >= 6, "{bodies:?}");
    for body in bodies {
        let schema = document.pointer(body.trim_start_matches('#')).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{body}");
    }
}

/// Generators treat an object without further description as one without members.
#[tokio::test(start_paused = true)]
async fn objects_of_any_form_say_that_they_take_any_member() {
    fn check(value: &Value, at: &str, found: &mut usize) {
        match value {
            Value::Object(fields) => {
                let kind = &fields.get("type");
                let is_object = kind.is_some_and(|kind| {
                    kind == "object"
                        || kind
                            .as_array()
                            .is_some_and(|kinds| kinds.contains(&"object".into()))
                });
                if is_object && !fields.contains_key("properties") {
                    assert!(fields.contains_key("additionalProperties"), "{at}: {value}");
                    *found += 1;
                }
                for (name, value) in fields {
                    check(value, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, at, found)),
            _ => {}
        }
    }
    let service = Service::memory().await;
    let mut found = 0;
    check(
        &document(&service).await["components"]["schemas"],
        "",
        &mut found,
    );
    assert!(found >= 4, "{found}");
}

/// An optional body is not a body that must be null.
#[tokio::test(start_paused = true)]
async fn bodies_that_may_be_left_out_say_so() {
    let service = Service::memory().await;
    let document = document(&service).await;
    for path in ["/jobs/{id}/pause", "/jobs/{id}/resume"] {
        let body = &document["paths"][path]["post"]["requestBody"];
        assert_ne!(body["required"], true, "{body}");
        let schema = &body["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/Note", "{body}");
    }
    let body = &document["paths"]["/jobs"]["post"]["requestBody"];
    assert_eq!(body["required"], true, "{body}");
}

fn references(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
