//! Empty stores to measure.

use scheduler_sqlx::SqlStore;

/// Returns the prefix of this process's tables.
pub fn prefix(url: &str) -> String {
    if url.starts_with("sqlite") {
        "scheduler_".to_owned()
    } else {
        format!("b{}_", std::process::id())
    }
}

/// Opens the store of a URL; a file is recreated, and tables on a server get a unique prefix.
pub async fn open(url: &str) -> SqlStore {
    remove(url);
    let builder = SqlStore::builder().keep_all_runs().prefix(prefix(url));
    builder.connect(url).await.unwrap()
}

/// Removes the file of a URL, if the URL names one.
pub fn remove(url: &str) {
    if let Some(path) = url.strip_prefix("sqlite://") {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{path}{suffix}"));
        }
    }
}
