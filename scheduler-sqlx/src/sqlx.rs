//! The parts of sqlx that this crate uses, from the crates behind its facade.
//!
//! A Cargo feature of the facade such as `uuid` names every database (`sqlx-sqlite?/uuid`), which keeps `sqlx-sqlite`
//! among the resolved dependencies even if it is not built. It declares `links = "sqlite3"`, so a program with another
//! version of `libsqlite3-sys`, such as one that uses rusqlite, could not be resolved, not even with PostgreSQL alone.
//! The types are those of the facade, so a user's `sqlx::PgPool` fits.

pub(crate) use sqlx_core::connection::{ConnectOptions, Connection};
pub(crate) use sqlx_core::database::Database;
pub(crate) use sqlx_core::error::Error;
#[cfg(feature = "postgres")]
pub(crate) use sqlx_core::executor::Executor;
pub(crate) use sqlx_core::pool::{self, Pool};
pub(crate) use sqlx_core::query::query;
pub(crate) use sqlx_core::raw_sql::raw_sql;
pub(crate) use sqlx_core::row::Row;
pub(crate) use sqlx_core::sql_str::AssertSqlSafe;

#[cfg(feature = "sqlite")]
pub(crate) use sqlx_core::query_scalar::query_scalar;
#[cfg(feature = "postgres")]
pub(crate) use sqlx_core::{query, types};
#[cfg(feature = "postgres")]
pub(crate) use sqlx_postgres::{self as postgres, PgConnection, PgPool, Postgres};
#[cfg(feature = "sqlite")]
pub(crate) use sqlx_sqlite::{self as sqlite, Sqlite, SqliteConnection, SqlitePool};
