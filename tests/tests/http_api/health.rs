//! The health of the scheduler.

use scheduler_core::prelude::*;
use serde_json::{Value, json};

use crate::support::{Service, on_each_store};

async fn probe(service: &Service, name: &str) -> (u16, Value) {
    let request = axum::http::Request::get(format!("/api/health/{name}"));
    let reply = service
        .send(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert_eq!(reply.header("cache-control"), "no-store");
    (reply.status.as_u16(), reply.json())
}

on_each_store! {
    async fn details_are_for_those_who_may_look(service) {
        let health = service.get("/api/health").await.expect(200);
        assert_eq!((&health["ok"], &health["phase"]), (&json!(true), &json!("running")));
        assert_eq!(health["live_runs"], 0);
        assert_eq!(health["stores"][0]["name"], "default");
        assert_eq!(health["stores"][0]["error"], Value::Null);
        assert_eq!(health["executors"][1], json!({"name": "sync", "limit": 32, "in_use": 0}));
        assert_eq!((&health["skipped"], health["warnings"].is_array()), (&json!({}), true));
    }

    async fn probes_follow_the_life_of_the_scheduler(service) {
        assert_eq!(probe(&service, "live").await, (200, json!({"status": "ok"})));
        assert_eq!(probe(&service, "ready").await, (200, json!({"status": "ok"})));
        service.scheduler.pause();
        assert_eq!(probe(&service, "ready").await, (200, json!({"status": "paused"})));
        assert_eq!(service.get("/api/health").await.expect(200)["ok"], false);
        service.scheduler.resume();
        service.scheduler.begin_shutdown();
        assert_eq!(probe(&service, "live").await, (200, json!({"status": "ok"})));
        assert_eq!(probe(&service, "ready").await, (503, json!({"status": "stopping"})));
        service.scheduler.shutdown(Shutdown::wait()).await;
        assert_eq!(probe(&service, "live").await, (503, json!({"status": "stopped"})));
        assert_eq!(service.get("/api/health").await.expect(200)["phase"], "stopped");
    }

    async fn the_session_tells_where_one_is(service) {
        let session = service.get("/api/session").await.expect(200);
        assert_eq!((&session["role"], &session["title"]), (&json!("full"), &json!("Scheduler")));
        assert_eq!(session["time_zone"], "UTC");
        assert!(session["now"].as_str().unwrap().starts_with("2026-01-01T00:00:0"));
        let nodes = service.get("/api/nodes").await.expect(200);
        assert_eq!(session["node"].is_string(), nodes["items"].as_array().is_some_and(|it| !it.is_empty()));
    }
}

#[tokio::test]
async fn nodes_of_a_shared_store_are_listed() {
    let service = Service::sqlite().await;
    let nodes = service.get("/api/nodes").await.expect(200);
    let node = &nodes["items"][0];
    assert_eq!(node["name"], service.scheduler.node_name());
    assert_eq!(
        (&node["is_alive"], &node["is_this_node"]),
        (&json!(true), &json!(true))
    );
    assert!(node["id"].as_str().is_some_and(|id| id.len() == 16));
    assert!(
        node["heartbeat_age_ms"].is_u64()
            && node["running"].is_u64()
            && node["version"].is_string()
    );
    let health = service.get("/api/health").await.expect(200);
    let lease = &health["stores"][0]["lease"];
    assert_eq!(lease["node"], node["id"]);
    assert!(lease["clock_offset_ms"].is_i64() && lease["valid_until"].is_string());
}
