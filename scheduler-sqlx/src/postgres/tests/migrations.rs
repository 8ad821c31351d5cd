use super::Fixture;
use crate::SqlError;
use crate::postgres::{check, migrate};

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_make_the_tables_at_once() {
    let Some(fixture) = Fixture::without_tables("migrate").await else {
        return;
    };
    let (pool, tables) = (&fixture.pool, &fixture.postgres.tables);
    let error = check(pool, tables).await.unwrap_err();
    assert!(
        matches!(
            error,
            SqlError::NotMigrated {
                found: 0,
                needed: 3
            }
        ),
        "{error}"
    );

    let nodes: Vec<_> = (0..8)
        .map(|_| {
            let (pool, tables) = (pool.clone(), tables.clone());
            tokio::spawn(async move { migrate(&pool, &tables).await })
        })
        .collect();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
    check(pool, tables).await.unwrap();
    fixture.drop_tables().await;
}

#[tokio::test]
async fn an_older_program_works_above_additive_migrations_only() {
    let Some(fixture) = Fixture::new("newer").await else {
        return;
    };
    let (pool, tables) = (&fixture.pool, &fixture.postgres.tables);
    fixture
        .execute("INSERT INTO {migrations} VALUES (1000, 1, 'added', 0)")
        .await;
    check(pool, tables).await.unwrap();
    migrate(pool, tables).await.unwrap();

    fixture
        .execute("INSERT INTO {migrations} VALUES (1001, 1001, 'changed', 0)")
        .await;
    for error in [check(pool, tables).await, migrate(pool, tables).await] {
        let error = error.unwrap_err();
        assert!(
            matches!(
                error,
                SqlError::TooNew {
                    found: 1001,
                    reader: 1001,
                    ..
                }
            ),
            "{error}"
        );
    }
    fixture.drop_tables().await;
}

#[tokio::test]
async fn a_role_that_may_only_read_and_write_opens_tables_that_are_there() {
    let Some(fixture) = Fixture::new("rights").await else {
        return;
    };
    fixture
        .execute(
            "DO $$ BEGIN CREATE ROLE sqlx_rights NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
             GRANT USAGE ON SCHEMA {schema} TO sqlx_rights;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO sqlx_rights",
        )
        .await;
    let options = (*fixture.pool.connect_options()).clone();
    let options = options.options([("role", "sqlx_rights")]);
    let pool = crate::postgres::pool(options, 1);
    migrate(&pool, &fixture.postgres.tables).await.unwrap();
    pool.close().await;
    fixture
        .execute("DROP OWNED BY sqlx_rights; DROP ROLE sqlx_rights")
        .await;
    fixture.drop_tables().await;
}
