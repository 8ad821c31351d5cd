//! Single statements, from any context of a test.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// Executes one statement on a new connection.
pub(super) fn run(url: &str, statement: String) -> Result<(), sqlx::Error> {
    connected(url, async |connection| {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(connection)
            .await?;
        Ok(())
    })
}

/// Returns the single text that a query yields.
pub(super) fn text(url: &str, query: &'static str) -> Result<String, sqlx::Error> {
    connected(url, async |connection| {
        sqlx::query_scalar(query).fetch_one(connection).await
    })
}

/// Blocks, on a thread with a separate runtime: the caller may be inside another runtime, whose time is paused.
fn connected<T: Send>(
    url: &str,
    ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error> + Send,
) -> Result<T, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut connection = options.connect().await?;
                let answer = ask(&mut connection).await?;
                connection.close().await?;
                Ok(answer)
            })
        });
        asked.join().unwrap()
    })
}
