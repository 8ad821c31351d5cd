//! Connecting.

use std::str::FromStr;
use std::time::Duration;

use crate::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use crate::sqlx::{Connection, PgPool};

use crate::error::SqlError;
use crate::sqlx;

/// How long to wait for a connection that is in use by another call, or that is being opened.
pub(super) const ACQUIRE: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is tested before a call uses it, and replaced if it is closed.
const IDLE: Duration = Duration::from_secs(1);

/// Reads a URL.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, SqlError> {
    // sqlx accepts any scheme.
    let is_ours = matches!(
        url.split_once(':'),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//")
    );
    if !is_ours {
        return Err(SqlError::url(url, None));
    }
    let Ok(options) = PgConnectOptions::from_str(url) else {
        let hint = "; in a user name or password, write `@`, `:`, `/` and `%` as `%40`, `%3A`, \
             `%2F` and `%25`";
        return Err(SqlError::url(url, Some(hint)));
    };
    // Poolers reject this startup parameter, which is about floating-point numbers.
    let options = without_brackets(options).extra_float_digits(None);
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("scheduler"),
    })
}

/// Returns `true` if a URL turns off sqlx's statement cache. Without the cache, sqlx would prepare a new named
/// statement for each call and close none of them.
pub(crate) fn has_no_statement_cache(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let mut parameters = parameters.split('&');
    parameters.any(|parameter| parameter == "statement-cache-capacity=0")
}

/// Removes the brackets around an IPv6 address in a URL, which sqlx takes for part of the host name.
fn without_brackets(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match address.map(str::to_owned) {
        Some(address) => options.host(&address),
        None => options,
    }
}

/// Returns a pool that connects on first use.
pub(crate) fn pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE)
        // Testing every connection would cost each call a round trip. Servers and firewalls close idle
        // connections, so only those are tested.
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for >= IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Limits how long a connection that the server or a pooler has accepted may take for its first answer. A pooler holds
/// the first statement until a server session is free: by default for two minutes.
pub(super) async fn answers<T, E>(first: impl Future<Output = Result<T, E>>) -> Result<T, SqlError>
where
    SqlError: From<E>,
{
    match tokio::time::timeout(ACQUIRE, first).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SqlError::NoConnection(sqlx::Error::PoolTimedOut)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_has_a_name_unless_the_url_gives_one() {
        let name = |url| {
            let options = options(url).unwrap();
            options.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://a@b/c").as_deref(), Some("scheduler"));
        let named = name("postgres://a@b/c?application_name=mine");
        assert_eq!(named.as_deref(), Some("mine"));
    }

    #[test]
    fn ipv6_address_is_read_without_its_brackets() {
        for (url, host) in [
            ("postgres://a@[::1]:5433/c", "::1"),
            ("postgres://a:b@[2001:db8::7]/c", "2001:db8::7"),
            ("postgres://a@127.0.0.1/c", "127.0.0.1"),
            ("postgres://a@db.internal/c", "db.internal"),
        ] {
            assert_eq!(options(url).unwrap().get_host(), host, "{url}");
        }
    }

    #[test]
    fn statement_cache_is_off_where_the_url_says_so() {
        for (url, expected) in [
            ("postgres://a@b/c", false),
            ("postgres://a@b/c?statement-cache-capacity=50", false),
            ("postgres://a@b/c?statement-cache-capacity=0", true),
            (
                "postgres://a@b/c?sslmode=disable&statement-cache-capacity=0",
                true,
            ),
        ] {
            assert_eq!(has_no_statement_cache(url), expected, "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_told_without_its_password() {
        let error = options("postgres://app:secret@db:port/app")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("db:port") && error.contains("%40"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
}
