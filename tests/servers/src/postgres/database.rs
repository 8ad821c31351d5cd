//! An empty database for one test.

use super::folder::name;
use super::url::{is_postgres, with_database};
use super::{missing, shared, sql};

/// An empty database for a single test; removed when dropped.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

/// Creates an empty database: on the server that `DATABASE_URL` names, if that is a PostgreSQL server, or else on one
/// that is started here and shared with the other tests. If there is neither, prints so and returns `None`.
///
/// Blocks until it exists.
pub fn database() -> Option<Database> {
    let given = std::env::var("DATABASE_URL").ok();
    let Some(server) = given.filter(|url| is_postgres(url)).or_else(shared::server) else {
        missing();
        return None;
    };
    let name = name("scheduler_test");
    sql::run(
        &server,
        format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
    .unwrap_or_else(|problem| panic!("no database on {server}: {problem}"));
    Some(Database { server, name })
}

impl Database {
    /// Returns its address.
    pub fn url(&self) -> String {
        with_database(&self.server, &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may already be gone, and the database with it.
        let _ = sql::run(
            &self.server,
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}
