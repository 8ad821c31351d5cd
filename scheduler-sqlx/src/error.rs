//! Errors of a database, by cause.

use crate::sqlx;
use std::time::Duration;

use crate::record_problem::RecordProblem;

/// Why a store could not be opened, or why a call to it failed.
///
/// Each variant names the cause and the remedy. The scheduler wraps the errors of a running store in
/// [`scheduler_core::Error::Store`], backs off and tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The URL does not name a database that this store supports.
    #[error(
        "`{url}` is not the URL of a store: write `sqlite://path/to/file.db` or `postgres://user@host/database`{}",
        .hint.unwrap_or_default()
    )]
    Url {
        /// The URL, without its password.
        url: String,
        /// What else may be wrong.
        hint: Option<&'static str>,
    },
    /// A prefix or schema that is not a plain name.
    #[error(
        "`{name}` cannot be a table prefix or schema: use up to 32 lower-case letters, digits and `_`, not beginning with a digit"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The tables were created by a newer version, and this version cannot read them.
    #[error(
        "the tables are of version {found}, which needs a program that knows version {reader}; this one knows {known}: start the newer program, or restore the older tables"
    )]
    TooNew {
        /// The version of the tables.
        found: i64,
        /// The oldest program that can read them.
        reader: i64,
        /// The version that this program knows.
        known: i64,
    },
    /// The tables are missing or old, and the store was opened without migration.
    #[error(
        "the tables of the scheduler are missing or old (version {found}, needed {needed}): call `migrate()`, or leave out `.migrate(false)`"
    )]
    NotMigrated {
        /// The version of the tables; 0 if there are none.
        found: i64,
        /// The version that is needed.
        needed: i64,
    },
    /// The tables need a change after which programs of older versions can no longer read them, and nodes that run
    /// such programs hold a lease.
    #[error(
        "the tables cannot be brought to version {version} while nodes of an older version hold a lease: {}; stop them first (the lease of a node that was killed ends within {} s) and start this program again",
        .nodes.join(", "), .ends_within.as_secs() + 1
    )]
    OlderNodes {
        /// The version of the tables that this program needs.
        version: i64,
        /// The names of the nodes.
        nodes: Vec<String>,
        /// When the last of these leases ends, unless it is renewed.
        ends_within: Duration,
    },
    /// The application's pool is configured such that its transactions and the scheduler's would block each other.
    #[error("the pool has {setting} = {found}: {effect}; {remedy}")]
    UnfitPool {
        /// The setting, under SQLite's name.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What would happen.
        effect: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// The pool returned no connection in time, or only one for which a pooler has no free server session, although
    /// the database can be reached.
    #[error(
        "the pool gave no connection, although the database can be reached: {0}; either all of its connections are in use, or all sessions of a pooler in front of the database are, or its `after_connect` hook fails (sqlx logs why)"
    )]
    NoConnection(#[source] sqlx::Error),
    /// A prepared statement was not found, or existed already: the connection does not have a server session to
    /// itself.
    #[error(
        "a pooler hands this program's transactions to different sessions of the server (such as pgbouncer with `pool_mode = transaction`), or a hook of the pool runs `DISCARD ALL`: {0}; call `.named_statements(false)`, set `max_prepared_statements` in pgbouncer 1.21 or later, or connect to the server itself"
    )]
    Pooler(#[source] sqlx::Error),
    /// The pooler in front of PostgreSQL rejects something that this program needs.
    #[error("the pooler in front of the database refuses this program: {error}; {remedy}")]
    PoolerRefuses {
        /// The pooler's error.
        #[source]
        error: sqlx::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The database rejects the user.
    #[error("the database refuses the user or the password, or lacks a right: {0}")]
    Denied(#[source] sqlx::Error),
    /// The database or its file does not exist and could not be created.
    #[error(
        "there is no such database, or its file cannot be opened (check the name, and that the folder is there and may be written to): {0}"
    )]
    Missing(#[source] sqlx::Error),
    /// The file or server is read-only.
    #[error("the database can only be read: {0}")]
    ReadOnly(#[source] sqlx::Error),
    /// The disk is full.
    #[error("the disk of the database is full: {0}")]
    Full(#[source] sqlx::Error),
    /// Another process held the database for too long.
    #[error("the database is locked by another process: {0}")]
    Locked(#[source] sqlx::Error),
    /// The database cancelled a statement: its `statement_timeout` ran out, or its cancellation was requested.
    #[error(
        "the database cancelled a statement: {0}; a `statement_timeout` of this role or database has to leave a claim some seconds"
    )]
    Cancelled(#[source] sqlx::Error),
    /// The transaction conflicted with another one and was rolled back.
    #[error("the transaction conflicts with another one and was rolled back, so try it again: {0}")]
    Conflict(#[source] sqlx::Error),
    /// The tables, or some of their columns, are not found where the connection looks for them.
    #[error(
        "the scheduler's tables are not where this connection looks for them: {0}; check `.schema(…)`, `.prefix(…)` and the search path, and whether somebody skipped them"
    )]
    NoTables(#[source] sqlx::Error),
    /// The file is corrupt, or not a database.
    #[error("the file is corrupt, or not a SQLite database: {0}")]
    Damaged(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the database did not answer within {0:?}")]
    NoAnswer(Duration),
    /// A stored record cannot be read; it is left unchanged.
    #[error(
        "the record of `{id}` cannot be read: {problem}; repair or delete its row, or use the program that wrote it"
    )]
    Unreadable {
        /// The id of the job or run.
        id: String,
        /// What is wrong.
        problem: RecordProblem,
    },
    /// A connection to the wrong database was passed to
    /// [`add_job_in`](crate::SqlStore::add_job_in).
    #[error(
        "the store is in {store}, and the connection is to {connection}: give a connection to the same database"
    )]
    WrongDatabase {
        /// The store's database.
        store: &'static str,
        /// The connection's database.
        connection: &'static str,
    },
    /// Any other error of the database.
    #[error("the database said: {0}")]
    Database(#[source] sqlx::Error),
}

impl SqlError {
    /// Returns an error for a URL, which is shown without possible secrets.
    pub(crate) fn url(url: &str, hint: Option<&'static str>) -> Self {
        Self::Url {
            url: without_secrets(url).chars().take(200).collect(),
            hint,
        }
    }
}

/// Returns a supposed URL without user, password and parameters. It could not be parsed as a URL: if in doubt where
/// a password may be, this leaves out too much rather than too little.
fn without_secrets(url: &str) -> String {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    match url.rsplit_once('@') {
        // It is unclear which part the `@` belongs to.
        Some((before, _)) if before.contains('?') => format!("{scheme}…"),
        Some((_, place)) => {
            let place = place.split_once('?').map_or(place, |(place, _)| place);
            format!("{scheme}…@{place}")
        }
        None => match url.split_once('?') {
            Some((place, _)) => format!("{place}?…"),
            // `host=db password=…`, as other programs accept it.
            None if scheme.is_empty() && url.contains('=') => "…".to_owned(),
            None => url.to_owned(),
        },
    }
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(database) => {
                if let Some(remedy) = remedy_at_pooler(database.message()) {
                    return Self::PoolerRefuses { error, remedy };
                }
                kind(&database.code().unwrap_or_default())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unreachable,
            _ => Self::Database,
        };
        kind(error)
    }
}

/// Returns the remedy for a refusal by pgbouncer. Decided by the message, since the code is not specific: a lost
/// connection has the same one.
fn remedy_at_pooler(message: &str) -> Option<&'static str> {
    if message == "unsupported startup parameter: extra_float_digits" {
        Some(
            "set `PgConnectOptions::extra_float_digits(None)` in the pool's options, or name the parameter in the \
             pooler's `ignore_startup_parameters`",
        )
    } else if message.starts_with("unsupported startup parameter") {
        Some(
            "leave it out of the URL or the pool's options, or name it in the pooler's `ignore_startup_parameters`",
        )
    } else if message == "transaction blocks not allowed in statement pooling mode" {
        Some(
            "the store needs transactions: set `pool_mode` to `transaction` or `session`, or connect to the server \
             itself",
        )
    } else {
        None
    }
}

/// Returns the kind of error for a code. SQLSTATEs have five characters; SQLite's codes are numbers of at most four
/// digits.
fn kind(code: &str) -> fn(sqlx::Error) -> SqlError {
    match code.parse() {
        Ok(number) if code.len() < 5 => kind_in_sqlite(number),
        _ => kind_of_state(code),
    }
}

/// The names are from the appendix "Error Codes" of PostgreSQL's documentation.
fn kind_of_state(state: &str) -> fn(sqlx::Error) -> SqlError {
    match state {
        // invalid_authorization_specification, invalid_password, insufficient_privilege
        "28000" | "28P01" | "42501" => SqlError::Denied,
        // invalid_catalog_name, database_dropped
        "3D000" | "57P04" => SqlError::Missing,
        // invalid_schema_name, undefined_table, undefined_column
        "3F000" | "42P01" | "42703" => SqlError::NoTables,
        // invalid_sql_statement_name, duplicate_prepared_statement
        "26000" | "42P05" => SqlError::Pooler,
        // read_only_sql_transaction
        "25006" => SqlError::ReadOnly,
        // disk_full
        "53100" => SqlError::Full,
        // lock_not_available, which includes `lock_timeout`
        "55P03" => SqlError::Locked,
        // query_canceled, which includes `statement_timeout`; transaction_timeout
        "57014" | "25P04" => SqlError::Cancelled,
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => SqlError::Conflict,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => SqlError::Damaged,
        // too_many_connections, idle_in_transaction_session_timeout
        "53300" | "25P03" => SqlError::Unreachable,
        // Connection exceptions, and a server that is shutting down, crashed or starting.
        state if state.starts_with("08") || state.starts_with("57P") => SqlError::Unreachable,
        _ => SqlError::Database,
    }
}

/// The low byte of an extended code is its primary code.
fn kind_in_sqlite(code: u32) -> fn(sqlx::Error) -> SqlError {
    match (code, code & 0xff) {
        // IOERR_SHORT_READ: the file ends too early. IOERR_DATA: a checksum is wrong. IOERR_CORRUPTFS.
        (522 | 8202 | 8458, _) => SqlError::Damaged,
        // BUSY_SNAPSHOT: another connection wrote between a transaction's first read and its first write.
        (517, _) => SqlError::Conflict,
        // READONLY_DBMOVED: the file was renamed or deleted. CANTOPEN.
        (1032, _) | (_, 14) => SqlError::Missing,
        // PERM, AUTH
        (_, 3 | 23) => SqlError::Denied,
        // BUSY, LOCKED
        (_, 5 | 6) => SqlError::Locked,
        (_, 8) => SqlError::ReadOnly,
        // INTERRUPT
        (_, 9) => SqlError::Cancelled,
        // IOERR
        (_, 10) => SqlError::Unreachable,
        // CORRUPT, NOTADB
        (_, 11 | 26) => SqlError::Damaged,
        (_, 13) => SqlError::Full,
        _ => SqlError::Database,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the name of the variant for a code.
    fn name(code: &str) -> String {
        let error = format!("{:?}", kind(code)(sqlx::Error::RowNotFound));
        error.split('(').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn sqlstates_become_errors_by_cause() {
        for (state, expected) in [
            ("28P01", "Denied"),
            ("42501", "Denied"),
            ("3D000", "Missing"),
            ("57P04", "Missing"),
            ("42P01", "NoTables"),
            ("3F000", "NoTables"),
            ("26000", "Pooler"),
            ("42P05", "Pooler"),
            ("25006", "ReadOnly"),
            ("53100", "Full"),
            ("55P03", "Locked"),
            ("57014", "Cancelled"),
            ("25P04", "Cancelled"),
            ("40001", "Conflict"),
            ("40P01", "Conflict"),
            ("XX001", "Damaged"),
            ("53300", "Unreachable"),
            ("25P03", "Unreachable"),
            ("08006", "Unreachable"),
            ("57P01", "Unreachable"),
            ("22021", "Database"),
            ("23505", "Database"),
            // All digits, but not a code of SQLite.
            ("08001", "Unreachable"),
        ] {
            assert_eq!(name(state), expected, "{state}");
        }
    }

    #[test]
    fn codes_of_sqlite_become_errors_by_cause() {
        for (code, expected) in [
            ("5", "Locked"),
            ("6", "Locked"),
            ("261", "Locked"),
            ("517", "Conflict"),
            ("8", "ReadOnly"),
            ("1032", "Missing"),
            ("9", "Cancelled"),
            ("266", "Unreachable"),
            ("522", "Damaged"),
            ("8458", "Damaged"),
            ("11", "Damaged"),
            ("26", "Damaged"),
            ("13", "Full"),
            ("14", "Missing"),
            ("23", "Denied"),
            ("1", "Database"),
            ("", "Database"),
        ] {
            assert_eq!(name(code), expected, "{code}");
        }
    }
}
