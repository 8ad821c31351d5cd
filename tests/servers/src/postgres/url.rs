//! Database addresses.

/// Returns the same server's address with another database.
pub(super) fn with_database(url: &str, database: &str) -> String {
    let (base, options) = match url.split_once('?') {
        Some((base, options)) => (base, format!("?{options}")),
        None => (url, String::new()),
    };
    let server = base.find("://").map_or(0, |at| at + 3);
    let end = base[server..]
        .find('/')
        .map_or(base.len(), |at| server + at);
    format!("{}/{database}{options}", &base[..end])
}

/// Returns `true` if an address is a PostgreSQL URL.
pub(super) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_is_replaced() {
        for (url, expected) in [
            (
                "postgres://u:p@host:5432/old",
                "postgres://u:p@host:5432/new",
            ),
            ("postgres://host", "postgres://host/new"),
            ("postgresql://host/", "postgresql://host/new"),
            (
                "postgres://host?sslmode=disable",
                "postgres://host/new?sslmode=disable",
            ),
            ("postgres:///old?host=/run/x", "postgres:///new?host=/run/x"),
        ] {
            assert_eq!(with_database(url, "new"), expected);
            assert!(is_postgres(url));
        }
        assert!(!is_postgres("sqlite://scheduler.db"));
    }
}
