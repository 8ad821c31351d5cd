//! The schema, version by version.
//!
//! A released version is never edited. Later ones only add to it, so that programs of the version before can still read
//! and write the tables. If that is not possible, `min_reader` says so.
//!
//! Version 3 is the only such exception: it renames objects of versions 1 and 2, and does not start while a node of an
//! older version holds a lease. Later versions only add.

use std::time::Duration;

use crate::error::SqlError;

/// One step from a version of the tables to the next.
#[derive(Debug)]
pub(crate) struct Migration {
    /// Counted from 1, without gaps.
    pub(crate) version: i64,
    /// The oldest program, by the last version that it knows, that can work with the tables after this step.
    pub(crate) min_reader: i64,
    /// What it does, for people who read the table.
    pub(crate) what: &'static str,
    /// Statements, as [`Tables::fill`](crate::tables::Tables::fill) takes them.
    pub(crate) sql: &'static str,
}

/// Returns `true` if programs that wrote the tables of this version cannot read them after these migrations.
pub(crate) fn excludes_older_programs(
    migrations: &[Migration],
    applied: Option<(i64, i64)>,
) -> bool {
    applied.is_some_and(|(found, _)| {
        migrations
            .iter()
            .any(|migration| migration.min_reader > found)
    })
}

/// Returns an error if there are leases, given as the names of their nodes and the microseconds until each expires.
pub(crate) fn no_older_nodes(
    pending: &[Migration],
    leases: Vec<(String, i64)>,
) -> Result<(), SqlError> {
    let Some(ends_within) = leases.iter().map(|(_, ends_within)| *ends_within).max() else {
        return Ok(());
    };
    Err(SqlError::OlderNodes {
        version: pending.last().map_or(0, |last| last.version),
        nodes: leases.into_iter().map(|(name, _)| name).collect(),
        ends_within: Duration::from_micros(ends_within.unsigned_abs()),
    })
}

/// Returns the migrations to apply to tables with this newest version and `min_reader`, or an error if this program
/// cannot work with them. Newer tables that it can work with need none.
pub(crate) fn pending(
    migrations: &'static [Migration],
    applied: Option<(i64, i64)>,
) -> Result<&'static [Migration], SqlError> {
    let known = migrations.last().map_or(0, |last| last.version);
    let (found, reader) = applied.unwrap_or_default();
    if reader > known {
        return Err(SqlError::TooNew {
            found,
            reader,
            known,
        });
    }
    let done = migrations.partition_point(|migration| migration.version <= found);
    Ok(&migrations[done..])
}

#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: &[Migration] = &[
    Migration {
        version: 1,
        min_reader: 1,
        what: "jobs, runs, drops and nodes",
        sql: include_str!("postgres_1.sql"),
    },
    Migration {
        version: 2,
        min_reader: 1,
        what: "hashes of what is written; queues and nodes by index",
        sql: include_str!("postgres_2.sql"),
    },
    Migration {
        version: 3,
        min_reader: 3,
        what: "names of the glossary; rows are found by keys that grow with each of their versions",
        sql: include_str!("postgres_3.sql"),
    },
];

#[cfg(feature = "sqlite")]
pub(crate) const SQLITE: &[Migration] = &[
    Migration {
        version: 1,
        min_reader: 1,
        what: "jobs, runs, drops and nodes",
        sql: include_str!("sqlite_1.sql"),
    },
    Migration {
        version: 2,
        min_reader: 1,
        what: "hashes of what is written; queues and nodes by index",
        sql: include_str!("sqlite_2.sql"),
    },
    Migration {
        version: 3,
        min_reader: 3,
        what: "names of the glossary",
        sql: include_str!("sqlite_3.sql"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(version: i64) -> Migration {
        Migration {
            version,
            min_reader: 1,
            what: "",
            sql: "",
        }
    }

    static STEPS: [Migration; 3] = [step(1), step(2), step(3)];

    #[test]
    fn what_is_newer_than_the_tables_is_pending() {
        for (applied, expected) in [
            (None, vec![1, 2, 3]),
            (Some((2, 1)), vec![3]),
            (Some((3, 1)), vec![]),
            (Some((5, 3)), vec![]),
        ] {
            let pending = pending(&STEPS, applied).unwrap();
            let versions: Vec<i64> = pending.iter().map(|step| step.version).collect();
            assert_eq!(versions, expected, "{applied:?}");
        }
    }

    #[test]
    fn only_programs_that_know_less_than_a_migration_asks_for_are_excluded() {
        static RENAMES: [Migration; 2] = [
            step(2),
            Migration {
                min_reader: 3,
                ..step(3)
            },
        ];
        for (applied, expected) in [(None, false), (Some((1, 1)), true), (Some((2, 1)), true)] {
            assert_eq!(
                excludes_older_programs(&RENAMES, applied),
                expected,
                "{applied:?}"
            );
        }
        assert!(!excludes_older_programs(&RENAMES[..1], Some((1, 1))));
    }

    #[test]
    fn released_versions_after_the_third_only_add() {
        let all = [
            #[cfg(feature = "postgres")]
            POSTGRES,
            #[cfg(feature = "sqlite")]
            SQLITE,
        ];
        for migration in all.into_iter().flatten() {
            let expected = if migration.version < 3 { 1 } else { 3 };
            assert_eq!(migration.min_reader, expected, "{migration:?}");
        }
    }

    #[test]
    fn tables_that_need_a_newer_program_are_refused() {
        let error = pending(&STEPS, Some((5, 4))).unwrap_err();
        assert!(
            matches!(
                error,
                SqlError::TooNew {
                    found: 5,
                    reader: 4,
                    known: 3
                }
            ),
            "{error}"
        );
    }
}
