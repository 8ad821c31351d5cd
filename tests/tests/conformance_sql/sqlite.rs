//! A file of its own for every case; the second handle is another pool, as of another process.

use std::time::Duration;

use scheduler_core::conformance::Subject;
use scheduler_sqlx::{SqlStore, SqlStoreBuilder};
use sqlx::SqlitePool;

/// A folder that goes with the subject.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder() -> Folder {
    let name = format!("scheduler-{}", scheduler_core::NodeId::random());
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    Folder(path)
}

fn builder() -> SqlStoreBuilder {
    SqlStore::builder()
        .lease(crate::LEASE)
        .keep_runs_for(Duration::from_secs(86_400))
        .keep_runs(1_000)
}

async fn file() -> Subject {
    let folder = folder();
    let url = format!("sqlite://{}/jobs.db", folder.0.display());
    let store = builder().connect(&url).await.unwrap();
    let other = builder().connect(&url).await.unwrap();
    let pool = SqlitePool::connect_lazy(&url).unwrap();
    Subject::new(store)
        .second_handle(other)
        .lease(crate::LEASE)
        .expire_with(move |node| {
            let pool = pool.clone();
            async move {
                sqlx::query("UPDATE scheduler_nodes SET lease_until = 1 WHERE id = ?1")
                    .bind(node.as_u64().cast_signed())
                    .execute(&pool)
                    .await
                    .unwrap();
            }
        })
        .forgets_after(Duration::from_secs(86_400))
        .keeps_runs(1_000)
        .keep(folder)
}

mod plain {
    scheduler_core::conformance::tests!(super::file);
}

mod losing_answers {
    async fn file() -> scheduler_core::conformance::Subject {
        super::file().await.losing_answers()
    }

    scheduler_core::conformance::tests!(file);
}
