//! The privileges that a role needs in PostgreSQL: exactly those that `docs/stores.md` lists.

use scheduler_core::store::{Cluster as _, History as _, Store as _};
use scheduler_core::{Builder, SkippedFilter};
use scheduler_sqlx::SqlStore;
use scheduler_test_servers::postgres::Cluster;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{Node, go_on, later, plain};

/// The statements in `docs/stores.md`, for the schema `background` and the role `app`.
fn documented() -> Vec<String> {
    let page = include_str!("../../../docs/stores.md");
    let (_, rest) = page.split_once("```sql\n").expect("a block of SQL");
    let (block, _) = rest.split_once("```").expect("its end");
    block
        .split_terminator(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// Splits `GRANT a, b ON x, y TO app` into single privileges on single objects, each as a REVOKE and a GRANT.
fn each_right(statements: &[String]) -> Vec<(String, String)> {
    let mut rights = Vec::new();
    for statement in statements {
        let words = statement.strip_prefix("GRANT ").expect("a GRANT");
        let words = words.strip_suffix(" TO app").expect("to `app`");
        let (names, objects) = words.split_once(" ON ").expect("on something");
        for object in objects.split(',').map(str::trim) {
            for name in names.split(',').map(str::trim) {
                rights.push((
                    format!("REVOKE {name} ON {object} FROM app"),
                    format!("GRANT {name} ON {object} TO app"),
                ));
            }
        }
    }
    rights
}

async fn run(connection: &mut PgConnection, statement: &str) {
    let sql = sqlx::raw_sql(AssertSqlSafe(statement));
    if let Err(error) = sql.execute(connection).await {
        panic!("{statement}: {error}");
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Waits for a condition, or for a failure of the store.
async fn until(
    node: &Node,
    what: &str,
    mut is_so: impl AsyncFnMut() -> bool,
) -> Result<(), String> {
    let waiting = async {
        while !is_so().await {
            if let Some((_, error)) = &node.scheduler.health().stores[0].error {
                return Err(text(error));
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Ok(())
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, waiting)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Does everything that a scheduler does in its store.
async fn everything(url: &str) -> Result<(), String> {
    let builder = SqlStore::builder().schema("background").migrate(false);
    let store = builder.connect(url).await.map_err(text)?;
    let node = Node::try_with(store.clone(), Builder::without_static_jobs).await;
    let node = node.map_err(text)?;
    let done = with_node(&node, &store).await;
    node.stop().await;
    done
}

async fn with_node(node: &Node, store: &SqlStore) -> Result<(), String> {
    let scheduler = &node.scheduler;
    let now = scheduler.store_now();
    // New names, since an earlier round that was refused may have left jobs behind.
    let round = scheduler_core::NodeId::random();
    let [once, stopped, skips] = ["once", "stopped", "skips"].map(|name| format!("{name}-{round}"));
    scheduler
        .add_job(plain().id(&*once).now())
        .await
        .map_err(text)?;
    until(node, "it ran", async || node.log.count(&once) > 0).await?;

    // The run is cancelled later; meanwhile, fire times are skipped.
    let skipping = go_on::job().id(&*skips).interval("20ms");
    scheduler.add_job(skipping).await.map_err(text)?;
    until(node, "a fire time is skipped", async || {
        scheduler.health().skipped.values().sum::<u64>() > 0
    })
    .await?;
    scheduler
        .list_skipped(&SkippedFilter::new().job(&skips).limit(10))
        .await
        .map_err(text)?;
    scheduler.pause_job(&skips).await.map_err(text)?;
    scheduler
        .add_job(later(go_on::job()).id(&*stopped))
        .await
        .map_err(text)?;
    scheduler.run_job_now(&stopped).await.map_err(text)?;
    for run in node.runs(&stopped).await {
        scheduler.cancel_run(run.id).await.map_err(text)?;
    }
    scheduler.list_nodes().await.map_err(text)?;

    // The periodic duties, which run once a minute.
    store.prune(now).await.map_err(text)?;
    store.take_over(now).await.map_err(text)?;
    store.repair(now).await.map_err(text)?;
    for id in [&once, &stopped, &skips] {
        scheduler.remove_job(id).await.map_err(text)?;
    }
    Ok(())
}

#[tokio::test]
async fn role_with_the_documented_rights_runs_everything_and_needs_each_of_them() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut superuser = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    for statement in [
        "CREATE ROLE owner LOGIN",
        "CREATE ROLE app LOGIN",
        "CREATE SCHEMA background AUTHORIZATION owner",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    ] {
        run(&mut superuser, statement).await;
    }
    let url = |role: &str| {
        let url = cluster.url("postgres");
        url.replace("postgres@", &format!("{role}@"))
    };
    let builder = SqlStore::builder().schema("background");
    builder.connect(&url("owner")).await.unwrap();

    let statements = documented();
    for statement in &statements {
        run(&mut superuser, statement).await;
    }
    everything(&url("app")).await.unwrap();

    let rights = each_right(&statements);
    assert!(rights.len() > 10, "{rights:?}");
    for (revoke, grant) in rights {
        run(&mut superuser, &revoke).await;
        let refused = everything(&url("app")).await;
        let problem = refused.expect_err(&revoke);
        assert!(
            problem.contains("permission denied") || problem.contains("missing"),
            "{revoke}: {problem}"
        );
        run(&mut superuser, &grant).await;
    }
    everything(&url("app")).await.unwrap();
}
