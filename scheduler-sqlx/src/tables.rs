//! The names of tables and indexes, under a prefix and a schema that the user may choose.

use std::sync::Arc;

use crate::sqlx::AssertSqlSafe;

use crate::error::SqlError;
use crate::run_row::code;
use crate::statements::Texts;

/// The names of the tables, and the texts of statements about them.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    prefix: String,
    schema: Option<String>,
    /// Parts that several statements share, by the names that stand for them.
    parts: &'static [(&'static str, &'static str)],
    texts: Texts,
    /// How statements about these tables are prepared.
    #[cfg(feature = "postgres")]
    pub(crate) sessions: crate::postgres::Sessions,
}

impl Tables {
    /// Validates a prefix and a schema (lower-case letters, digits and `_`, at most 32 bytes) and creates the names.
    pub(crate) fn new(prefix: &str, schema: Option<&str>) -> Result<Self, SqlError> {
        for name in [Some(prefix), schema].into_iter().flatten() {
            let first_ok = name.chars().next().is_none_or(|c| !c.is_ascii_digit());
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.len() > 32 || !first_ok || !name.chars().all(fits) {
                return Err(SqlError::Name {
                    name: name.chars().take(80).collect(),
                });
            }
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            schema: schema
                .filter(|schema| !schema.is_empty())
                .map(str::to_owned),
            parts: &[],
            texts: Texts::default(),
            #[cfg(feature = "postgres")]
            sessions: crate::postgres::Sessions::default(),
        })
    }

    /// Returns the same names for a database without schemas.
    #[cfg(feature = "sqlite")]
    pub(crate) fn without_schema(self) -> Self {
        Self {
            schema: None,
            ..self
        }
    }

    /// Builds the texts of a database's statements.
    pub(crate) fn with_statements(
        mut self,
        parts: &'static [(&'static str, &'static str)],
        statements: &[&[&'static str]],
    ) -> Self {
        self.parts = parts;
        self.texts = Texts::new(statements, |template| self.fill(template).0);
        self
    }

    /// Returns the text of a statement: the one built when the store was opened, or a new one if it depends on the
    /// request.
    pub(crate) fn text(&self, template: &str) -> AssertSqlSafe<Arc<str>> {
        let made = self.texts.get(template);
        AssertSqlSafe(made.unwrap_or_else(|| self.fill(template).0.into()))
    }

    /// Fills the names into a statement: `{jobs}` becomes `scheduler_jobs`, and `{running}` the code of that state. All
    /// names are constants or were validated above; values are always bound.
    pub(crate) fn fill(&self, template: &str) -> AssertSqlSafe<String> {
        let mut sql = String::with_capacity(template.len() + 256);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            match name {
                "schema" => sql.push_str(&self.quoted_schema()),
                name => {
                    let part = self.parts.iter().find(|(part, _)| *part == name);
                    if let Some((_, part)) = part {
                        sql.push_str(&self.fill(part).0);
                    } else if let Some(code) = code(name) {
                        sql.push_str(&code);
                    } else {
                        self.push_name(&mut sql, name);
                    }
                }
            }
            rest = after;
        }
        sql.push_str(rest);
        AssertSqlSafe(sql)
    }

    /// Returns the schema, if one was chosen.
    #[cfg(feature = "postgres")]
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Returns the channel of notifications: one name for the whole database, of at most 63 bytes.
    #[cfg(feature = "postgres")]
    pub(crate) fn channel(&self) -> String {
        let schema = self.schema.as_deref().unwrap_or_default();
        let mut channel = format!("{schema}{}", self.prefix);
        channel.truncate(55);
        channel + "changed"
    }

    /// Quoted, since it may be a keyword of SQL.
    fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema.as_deref().unwrap_or("public"))
    }

    fn push_name(&self, sql: &mut String, name: &str) {
        // An index is in the schema of its table, and is created without a schema name.
        let is_index = name.contains('_');
        if self.schema.is_some() && !is_index {
            sql.push_str(&self.quoted_schema());
            sql.push('.');
        }
        sql.push_str(&self.prefix);
        sql.push_str(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_under_prefix_and_schema() {
        let fill = |prefix, schema| {
            let tables = Tables::new(prefix, schema).unwrap();
            tables.fill("CREATE INDEX {jobs_due} ON {jobs} (x)").0
        };
        assert_eq!(
            fill("scheduler_", None),
            "CREATE INDEX scheduler_jobs_due ON scheduler_jobs (x)"
        );
        assert_eq!(
            fill("", Some("user")),
            "CREATE INDEX jobs_due ON \"user\".jobs (x)"
        );
    }

    #[test]
    fn parts_and_codes_are_filled_in_when_statements_are_made() {
        const STATEMENT: &str = "SELECT {columns} FROM {runs} WHERE {open} AND state = {running}";
        let parts: &[(&str, &str)] = &[("columns", "id, job_id"), ("open", "slot > {none}")];
        let tables = Tables::new("t_", None).unwrap();
        let tables = tables.with_statements(parts, &[&[STATEMENT]]);
        let made = tables.text(STATEMENT).0;
        assert_eq!(
            &*made,
            "SELECT id, job_id FROM t_runs WHERE slot > 0 AND state = 1"
        );
        assert!(
            Arc::ptr_eq(&made, &tables.text(STATEMENT).0),
            "it is made once"
        );
        assert_eq!(
            &*tables.text("SELECT {columns} FROM {jobs}").0,
            "SELECT id, job_id FROM t_jobs"
        );
    }

    #[test]
    fn names_that_could_be_anything_else_are_refused() {
        for bad in ["a b", "a;", "A", "1a", "a\"", &"a".repeat(33)] {
            assert!(
                matches!(Tables::new(bad, None), Err(SqlError::Name { .. })),
                "{bad}"
            );
        }
    }
}
