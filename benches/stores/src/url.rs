//! Stores to measure, empty.

use scheduler_sqlx::SqlStore;

/// Opens the store of a URL; a file is made anew, tables of a server get a prefix of their own.
pub async fn open(url: &str) -> SqlStore {
    if let Some(path) = url.strip_prefix("sqlite://") {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{path}{suffix}"));
        }
    }
    let builder = SqlStore::builder().keep_all_runs();
    let builder = if url.starts_with("sqlite") {
        builder
    } else {
        builder.prefix(format!("b{}_", std::process::id()))
    };
    builder.connect(url).await.unwrap()
}
