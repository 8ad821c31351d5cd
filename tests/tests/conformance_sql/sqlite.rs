//! A separate file for every case; the second handle is another pool, like that of another process.

use scheduler_store_tests::Subject;
use sqlx::SqlitePool;

use crate::builder;

/// A folder that is removed with the subject.
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

async fn file() -> Subject {
    let folder = folder();
    let url = format!("sqlite://{}/jobs.db", folder.0.display());
    let store = builder().connect(&url).await.unwrap();
    let other = builder().connect(&url).await.unwrap();
    let pool = SqlitePool::connect_lazy(&url).unwrap();
    crate::subject((store, other), pool).keep(folder)
}

mod plain {
    scheduler_store_tests::tests!(super::file);
}

mod losing_answers {
    async fn file() -> scheduler_store_tests::Subject {
        super::file().await.losing_answers()
    }

    scheduler_store_tests::tests!(file);
}
