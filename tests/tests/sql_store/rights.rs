//! Database roles that lack a privilege.

use scheduler_core::{Duty, NodeId};
use scheduler_sqlx::SqlStore;

use crate::support::{Node, Place, plain, until};

#[tokio::test]
async fn a_role_that_may_not_delete_runs_runs_jobs_in_time() {
    let Some(place) = Place::postgres() else {
        return;
    };
    place.store().await.migrate().await.unwrap();
    let role = format!("scheduler_{}", NodeId::random());
    place
        .run(&format!(
            "CREATE ROLE {role} LOGIN; \
             GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; \
             REVOKE DELETE ON scheduler_runs FROM {role}"
        ))
        .await;
    // The session switches to the role, which works whether or not logging in needs a password.
    let url = format!("{}?options=-crole%3D{role}", place.url());
    let store = SqlStore::builder().migrate(false).connect(&url).await;
    let node = Node::start(store.unwrap()).await;
    node.add(plain().id("job").interval("100ms")).await;
    // With a backoff after each failure, there would be only seven runs in this time.
    node.ran("job", 50).await;
    until("health shows it", async || {
        let health = node.scheduler.health();
        let mut failing = health.stores[0].failing_duties.iter();
        health.is_ok() && failing.any(|failure| failure.duty == Duty::Retention)
    })
    .await;
    node.stop().await;
    place
        .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}
