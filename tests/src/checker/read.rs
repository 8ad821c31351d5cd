//! Reading the tables of a store.

use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::rows::{Job, Node, Rows, Run, Skipped};

/// The location of a store's tables.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The address of the PostgreSQL or SQLite database.
    pub url: &'a str,
    /// The prefix of the tables' names; `scheduler_` unless configured.
    pub prefix: &'a str,
}

impl<'a> Source<'a> {
    /// Returns the location of the tables under their default names.
    pub fn of(url: &'a str) -> Self {
        Self {
            url,
            prefix: "scheduler_",
        }
    }

    /// Reads all rows, as of a single instant.
    ///
    /// # Errors
    /// The database cannot be reached, or a row cannot be read.
    pub async fn read(&self) -> Result<Rows, Box<dyn std::error::Error + Send + Sync>> {
        let mut tables = if self.url.starts_with("sqlite:") {
            Tables::Sqlite(SqliteConnection::connect(self.url).await?)
        } else {
            Tables::Postgres(PgConnection::connect(self.url).await?)
        };
        tables.freeze().await?;
        let prefix = self.prefix;
        let jobs = format!(
            "id, trigger, policies, CASE WHEN paused IS NULL THEN 0 ELSE 1 END, watermark, created_at) \
             AS text) FROM {prefix}jobs ORDER BY id"
        );
        let runs = format!(
            "{}, job_id, kind, scheduled_for, state, slot, node, attempt, failures, lost, \
             started_at, finished_at, earlier_attempts) AS text) FROM {prefix}runs ORDER BY id",
            tables.hex_id()
        );
        let skipped = format!(
            "job_id, reason, first_at, last_at, count, CASE WHEN is_exact THEN 1 ELSE 0 END) \
             AS text) FROM {prefix}skipped ORDER BY seq"
        );
        let nodes = format!("id, lease_until) AS text) FROM {prefix}nodes ORDER BY id");
        Ok(Rows {
            jobs: tables.rows(&jobs, job).await?,
            runs: tables.rows(&runs, run).await?,
            skipped: tables.rows(&skipped, skipped_record).await?,
            nodes: tables.rows(&nodes, node).await?,
            ..Rows::default()
        })
    }
}

type JobRow = (String, String, String, i64, i64, i64);

fn job((id, trigger, policies, paused, watermark, created_at): JobRow) -> Result<Job, String> {
    Ok(Job {
        policies: serde_json::from_str(&policies)
            .map_err(|problem| format!("policies of `{id}`: {problem}: {policies}"))?,
        id,
        trigger,
        paused: paused == 1,
        watermark,
        created_at,
    })
}

type RunRow = (
    String,
    String,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

fn run(row: RunRow) -> Result<Run, String> {
    Ok(Run {
        id: row.0.parse()?,
        job: row.1,
        kind: row.2.try_into()?,
        scheduled_for: row.3,
        state: row.4.try_into()?,
        holds_slot: row.5 == 2,
        node: row.6,
        attempt: row.7,
        failures: row.8,
        lost: row.9,
        started_at: row.10,
        finished_at: row.11,
        earlier_attempts: row.12,
    })
}

type SkippedRow = (String, String, i64, i64, i64, i64);

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several ways to read a row"
)]
fn skipped_record((job, reason, first, last, count, exact): SkippedRow) -> Result<Skipped, String> {
    Ok(Skipped {
        job,
        reason,
        first,
        last,
        count,
        exact: exact == 1,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of several ways to read a row"
)]
fn node((id, lease_until): (i64, i64)) -> Result<Node, String> {
    Ok(Node { id, lease_until })
}

/// A connection to either database.
enum Tables {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Tables {
    /// Opens a snapshot: from now on, reads show the state of a single instant.
    async fn freeze(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql("BEGIN").execute(connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
                .execute(connection)
                .await
                .map(drop),
        }
    }

    fn hex_id(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "hex(id)",
            Self::Postgres(_) => "CAST(id AS text)",
        }
    }

    /// Reads rows as JSON arrays, whose values have the same types in both databases.
    async fn rows<T: DeserializeOwned, R>(
        &mut self,
        rest: &str,
        row: fn(T) -> Result<R, String>,
    ) -> Result<Vec<R>, Box<dyn std::error::Error + Send + Sync>> {
        let texts: Vec<String> = match self {
            Self::Sqlite(connection) => {
                let query = AssertSqlSafe(format!("SELECT CAST(json_array({rest}"));
                sqlx::query_scalar(query).fetch_all(connection).await?
            }
            Self::Postgres(connection) => {
                let query = AssertSqlSafe(format!("SELECT CAST(json_build_array({rest}"));
                sqlx::query_scalar(query).fetch_all(connection).await?
            }
        };
        texts
            .iter()
            .map(|text| Ok(row(serde_json::from_str(text)?)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;
    use crate::checker::rows::{Kind, Policies, State};
    use scheduler_test_servers::postgres;

    const JOBS: &str = "CREATE TABLE s_jobs (id text, trigger text, policies text, paused text, \
                        watermark bigint, created_at bigint)";
    const SKIPPED: &str = "CREATE TABLE s_skipped (seq int, job_id text, reason text, \
                           first_at bigint, last_at bigint, count bigint, is_exact boolean)";
    const NODES: &str = "CREATE TABLE s_nodes (id bigint, lease_until bigint)";
    const ROWS: &str = r#"
        INSERT INTO s_jobs VALUES
            ('a"b', 'every 1s', '{"max_instances":2,"jitter":"0s"}', NULL, 1767225600000001, 7);
        INSERT INTO s_skipped VALUES (1, 'a', 'missed', 5, 6, 2, true);
        INSERT INTO s_nodes VALUES (9007199254740993, 8);"#;

    fn runs(id: &str) -> String {
        format!(
            "CREATE TABLE s_runs (id {id}, job_id text, kind smallint, scheduled_for bigint, \
             state smallint, slot smallint, node bigint, attempt int, failures int, lost int, \
             started_at bigint, finished_at bigint, earlier_attempts text)"
        )
    }

    async fn assert_reads(url: &str) {
        let source = Source { url, prefix: "s_" };
        let rows = source.read().await.unwrap();
        let job = &rows.jobs[0];
        assert_eq!(
            (&*job.id, job.paused, job.watermark),
            ("a\"b", false, 1_767_225_600_000_001)
        );
        let policies = Policies {
            max_instances: 2,
            ..Policies::default()
        };
        assert_eq!(job.policies, policies);
        let run = &rows.runs[0];
        assert_eq!(run.id.to_string(), "019b76da-a800-8000-8000-000000000001");
        assert_eq!((run.kind, run.state), (Kind::Manual, State::Succeeded));
        assert_eq!((run.node, run.started_at), (Some(3), None));
        assert!(run.holds_slot && rows.skipped[0].exact);
        assert_eq!(rows.nodes[0].id, 9_007_199_254_740_993);
    }

    #[tokio::test]
    async fn sqlite_is_read() {
        let name = format!("checker-{}.db", std::process::id());
        let file = std::env::temp_dir().join(name);
        let url = format!("sqlite://{}", file.display());
        let mut connection = SqliteConnection::connect(&format!("{url}?mode=rwc"))
            .await
            .unwrap();
        for statement in [
            JOBS,
            SKIPPED,
            NODES,
            ROWS,
            &runs("blob"),
            "INSERT INTO s_runs VALUES (x'019b76daa80080008000000000000001', 'a', 1, 5, 2, 2, 3, \
             1, 0, 0, NULL, 6, NULL)",
        ] {
            connection
                .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
                .await
                .unwrap();
        }
        assert_reads(&url).await;
        std::fs::remove_file(file).unwrap();
    }

    #[tokio::test]
    async fn postgres_is_read() {
        let Some(database) = postgres::database() else {
            return;
        };
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        for statement in [
            JOBS,
            SKIPPED,
            NODES,
            ROWS,
            &runs("uuid"),
            "INSERT INTO s_runs VALUES ('019b76da-a800-8000-8000-000000000001', 'a', 1, 5, 2, 2, \
             3, 1, 0, 0, NULL, 6, NULL)",
        ] {
            connection
                .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
                .await
                .unwrap();
        }
        assert_reads(&database.url()).await;
    }
}
