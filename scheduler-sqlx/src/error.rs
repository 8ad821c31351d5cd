//! What can go wrong with a database, by cause.

use crate::sqlx;
use std::time::Duration;

/// Why a store could not be opened, or could not do what it was asked.
///
/// Each names the cause and what to do. The scheduler wraps those of a running store into
/// [`scheduler_core::Error::Store`], backs off and tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The URL names no database that this store speaks to.
    #[error(
        "`{url}` is no URL of a store: write `sqlite://path/to/file.db` or `postgres://user@host/database`{}",
        .hint.unwrap_or_default()
    )]
    Url {
        /// The URL, without its password.
        url: String,
        /// What else may be the matter.
        hint: Option<&'static str>,
    },
    /// A prefix or schema that is no plain name.
    #[error(
        "`{name}` cannot be a table prefix or schema: use up to 32 lower-case letters, digits and `_`, not beginning with a digit"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The tables were made by a newer version, and this one cannot read them.
    #[error(
        "the tables are of version {found}, which needs a program that knows version {reader}; this one knows {known}: start the newer program, or restore the older tables"
    )]
    TooNew {
        /// The version of the tables.
        found: i64,
        /// The oldest program that can read them.
        reader: i64,
        /// What this program knows.
        known: i64,
    },
    /// There are no tables, and they were not to be made.
    #[error(
        "the tables of the scheduler are missing or old (version {found}, needed {needed}): call `migrate()`, or leave out `.migrate(false)`"
    )]
    NotMigrated {
        /// The version of the tables; 0 when there are none.
        found: i64,
        /// The version that is needed.
        needed: i64,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// The database refuses who asks.
    #[error("the database refuses the user or the password, or lacks a right: {0}")]
    Denied(#[source] sqlx::Error),
    /// The database has no such database or file, and it could not be made.
    #[error(
        "there is no such database, or its file cannot be opened (check the name, and that the folder is there and may be written to): {0}"
    )]
    Missing(#[source] sqlx::Error),
    /// The file or server can only be read.
    #[error("the database can only be read: {0}")]
    ReadOnly(#[source] sqlx::Error),
    /// No room is left.
    #[error("the disk of the database is full: {0}")]
    Full(#[source] sqlx::Error),
    /// Another process held the database for too long.
    #[error("the database is locked by another process: {0}")]
    Locked(#[source] sqlx::Error),
    /// What is in the file is no database, or a damaged one.
    #[error("the database is damaged, or is none: {0}")]
    Damaged(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the database did not answer within {0:?}")]
    NoAnswer(Duration),
    /// A stored record cannot be read; it is left as it is.
    #[error(
        "the record of `{id}` cannot be read: {problem}; mend or delete its row, or use the program that wrote it"
    )]
    Unreadable {
        /// The id of the job or run.
        id: String,
        /// What is wrong.
        problem: String,
    },
    /// A connection of the wrong database was given to
    /// [`add_job_in`](crate::SqlStore::add_job_in).
    #[error(
        "the store is in {store}, and the connection is to {connection}: give a connection to the same database"
    )]
    WrongDatabase {
        /// The store's database.
        store: &'static str,
        /// The connection's.
        connection: &'static str,
    },
    /// Anything else that the database said.
    #[error("the database said: {0}")]
    Database(#[source] sqlx::Error),
}

impl SqlError {
    /// The URL without what may be a secret.
    pub(crate) fn url(url: &str, hint: Option<&'static str>) -> Self {
        Self::Url {
            url: without_secrets(url).chars().take(200).collect(),
            hint,
        }
    }
}

/// What was given as a URL, without user, password and parameters. It is none: wherever a password may
/// be in it, too much is left out rather than too little.
fn without_secrets(url: &str) -> String {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    match url.rsplit_once('@') {
        // Which of them the `@` belongs to cannot be told.
        Some((before, _)) if before.contains('?') => format!("{scheme}…"),
        Some((_, place)) => {
            let place = place.split_once('?').map_or(place, |(place, _)| place);
            format!("{scheme}…@{place}")
        }
        None => match url.split_once('?') {
            Some((place, _)) => format!("{place}?…"),
            // `host=db password=…`, as other programs take it.
            None if scheme.is_empty() && url.contains('=') => "…".to_owned(),
            None => url.to_owned(),
        },
    }
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            let code = database.code().unwrap_or_default().into_owned();
            return by_code(&code, error);
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unreachable(error),
            other => Self::Database(other),
        }
    }
}

/// SQLite's code for a file that ends too early; otherwise its class is that of files out of reach.
const IOERR_SHORT_READ: u32 = 522;

/// SQLSTATEs have five characters; the codes of SQLite are numbers, whose low byte is the class.
fn by_code(code: &str, error: sqlx::Error) -> SqlError {
    if code.len() == 5 {
        return match code {
            "28000" | "28P01" | "42501" => SqlError::Denied(error),
            "3D000" => SqlError::Missing(error),
            "25006" => SqlError::ReadOnly(error),
            "53100" => SqlError::Full(error),
            "55P03" | "40P01" | "57014" => SqlError::Locked(error),
            "XX001" | "XX002" => SqlError::Damaged(error),
            "53300" => SqlError::Unreachable(error),
            other if other.starts_with("08") || other.starts_with("57P") => {
                SqlError::Unreachable(error)
            }
            _ => SqlError::Database(error),
        };
    }
    let code = code.parse::<u32>();
    if code == Ok(IOERR_SHORT_READ) {
        return SqlError::Damaged(error);
    }
    match code.map(|code| code & 0xff) {
        Ok(3 | 23) => SqlError::Denied(error),
        Ok(5 | 6) => SqlError::Locked(error),
        Ok(8) => SqlError::ReadOnly(error),
        Ok(11 | 26) => SqlError::Damaged(error),
        Ok(13) => SqlError::Full(error),
        Ok(14) => SqlError::Missing(error),
        Ok(10) => SqlError::Unreachable(error),
        _ => SqlError::Database(error),
    }
}
