//! The names of tables and indexes, under a prefix and a schema that the user may choose.

use crate::sqlx::AssertSqlSafe;

use crate::error::SqlError;

/// Where the tables are.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    prefix: String,
    schema: Option<String>,
    /// How statements about them are prepared.
    #[cfg(feature = "postgres")]
    pub(crate) sessions: crate::postgres::Sessions,
}

impl Tables {
    /// Checks and makes names: lower-case letters, digits and `_`, at most 32 bytes.
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
            #[cfg(feature = "postgres")]
            sessions: crate::postgres::Sessions::default(),
        })
    }

    /// The same names for a database that has no schemas.
    #[cfg(feature = "sqlite")]
    pub(crate) fn without_schema(self) -> Self {
        Self {
            schema: None,
            ..self
        }
    }

    /// Fills the names into a statement: `{jobs}` becomes `scheduler_jobs`. Both are the code's own, or
    /// were checked above; values are always bound.
    pub(crate) fn fill(&self, template: &str) -> AssertSqlSafe<String> {
        let mut sql = String::with_capacity(template.len() + 256);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            match name {
                "schema" => sql.push_str(&self.quoted_schema()),
                name => self.push_name(&mut sql, name),
            }
            rest = after;
        }
        sql.push_str(rest);
        AssertSqlSafe(sql)
    }

    /// The schema, where one was chosen.
    #[cfg(feature = "postgres")]
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The channel of notifications, which is one name for the whole database; it may have 63 bytes.
    #[cfg(feature = "postgres")]
    pub(crate) fn channel(&self) -> String {
        let schema = self.schema.as_deref().unwrap_or_default();
        let mut channel = format!("{schema}{}", self.prefix);
        channel.truncate(55);
        channel + "changed"
    }

    /// Quoted: it may be a word of SQL's own.
    fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema.as_deref().unwrap_or("public"))
    }

    fn push_name(&self, sql: &mut String, name: &str) {
        // An index lives in the schema of its table, and is created without naming it.
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
    fn names_that_could_be_anything_else_are_refused() {
        for bad in ["a b", "a;", "A", "1a", "a\"", &"a".repeat(33)] {
            assert!(
                matches!(Tables::new(bad, None), Err(SqlError::Name { .. })),
                "{bad}"
            );
        }
    }
}
