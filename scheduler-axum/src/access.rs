//! Access control.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use subtle::{Choice, ConstantTimeEq};

/// What a caller is allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// May read everything and change nothing.
    Read,
    /// May read and change everything.
    Full,
}

impl Role {
    /// Returns the name used in JSON: `"read"` or `"full"`.
    ///
    /// ```
    /// assert_eq!(scheduler_axum::Role::Read.as_str(), "read");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Full => "full",
        }
    }
}

/// Who may use the API, and in which [`Role`]. There is no default, so a scheduler is never open by accident.
///
/// The page itself and its assets contain no data and are public, as are `api/health/live`, `api/health/ready` and
/// `api/openapi.json`.
///
/// ```
/// use scheduler_axum::{Access, Role};
///
/// // Two tokens, from the environment of the service for example.
/// let tokens = Access::bearer("a-long-and-random-text")?.and_read_only("another-random-text")?;
///
/// // Or the sessions of the application.
/// let sessions = Access::check(async |request| {
///     let is_admin = request.headers.contains_key("x-admin"); // stands for a look at a cookie
///     is_admin.then_some(Role::Full)
/// });
///
/// // A token that can be guessed is rejected.
/// assert!(Access::bearer("secret").is_err());
/// # Ok::<(), scheduler_axum::AccessError>(())
/// ```
#[derive(Clone)]
pub struct Access(Kind);

type Answer = Pin<Box<dyn Future<Output = Option<Role>> + Send>>;

#[derive(Clone)]
enum Kind {
    Open,
    Bearer { full: Token, read: Option<Token> },
    Check(Arc<dyn Fn(Parts) -> Answer + Send + Sync>),
}

impl Access {
    /// Allows everyone to do everything: for development. A warning is logged when the router is created.
    ///
    /// Only requests to `localhost` and to IP addresses are answered, not to other host names: otherwise a page of
    /// another site could make its own name resolve to this machine, and then control it from a developer's browser.
    ///
    /// ```
    /// let access = scheduler_axum::Access::open();
    /// assert_eq!(format!("{access:?}"), "Access(open)");
    /// ```
    pub fn open() -> Self {
        Self(Kind::Open)
    }

    /// Grants full access to callers that send this token as `Authorization: Bearer …`.
    ///
    /// Tokens are compared in constant time, and are never logged.
    ///
    /// # Errors
    /// A token of fewer than 16 or more than 256 bytes, or with blanks or characters outside ASCII, which are not
    /// allowed in a header.
    ///
    /// ```
    /// use scheduler_axum::{Access, AccessError};
    ///
    /// assert!(Access::bearer("5f2c9a0b7d1e4c63").is_ok());
    /// assert!(matches!(Access::bearer("admin"), Err(AccessError::Short { length: 5 })));
    /// ```
    pub fn bearer(full: impl AsRef<str>) -> Result<Self, AccessError> {
        Ok(Self(Kind::Bearer {
            full: Token::new(full.as_ref())?,
            read: None,
        }))
    }

    /// Grants read-only access to callers that send this token.
    ///
    /// # Errors
    /// As [`bearer`](Self::bearer); if the token is the one with full access; and if access is not given by tokens.
    ///
    /// ```
    /// use scheduler_axum::{Access, AccessError};
    ///
    /// let access = Access::bearer("5f2c9a0b7d1e4c63")?;
    /// let twice = access.and_read_only("5f2c9a0b7d1e4c63");
    /// assert!(matches!(twice, Err(AccessError::Same)));
    /// # Ok::<(), AccessError>(())
    /// ```
    pub fn and_read_only(self, token: impl AsRef<str>) -> Result<Self, AccessError> {
        let token = Token::new(token.as_ref())?;
        match self.0 {
            Kind::Bearer { full, .. } if bool::from(full.is(&token)) => Err(AccessError::Same),
            Kind::Bearer { full, .. } => Ok(Self(Kind::Bearer {
                full,
                read: Some(token),
            })),
            Kind::Open | Kind::Check(_) => Err(AccessError::NoTokens),
        }
    }

    /// Delegates to the application, which has sessions of its own; `None` rejects the request with 401.
    ///
    /// The function is called with a copy of the request without its body. Anything else that a session needs (a pool,
    /// a cache) is captured.
    ///
    /// ```
    /// use scheduler_axum::{Access, Role};
    ///
    /// let access = Access::check(|request| {
    ///     let role = match request.headers.get("x-team").map(|team| team.as_bytes()) {
    ///         Some(b"operators") => Some(Role::Full),
    ///         Some(_) => Some(Role::Read),
    ///         None => None,
    ///     };
    ///     async move { role }
    /// });
    /// assert_eq!(format!("{access:?}"), "Access(check)");
    /// ```
    pub fn check<F, Fut>(check: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<Role>> + Send + 'static,
    {
        Self(Kind::Check(Arc::new(move |parts| Box::pin(check(parts)))))
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.0, Kind::Open)
    }

    /// Returns the role of the sender of this request.
    pub(crate) async fn role(&self, parts: &Parts) -> Option<Role> {
        match &self.0 {
            Kind::Open => Some(Role::Full),
            Kind::Bearer { full, read } => {
                let given = Token::padded(bearer_of(parts)?)?;
                // Both are compared, regardless of the first result.
                let is_full = full.is(&given);
                let is_read = read
                    .as_ref()
                    .map_or(Choice::from(0), |read| read.is(&given));
                match (bool::from(is_full), bool::from(is_read)) {
                    (true, _) => Some(Role::Full),
                    (false, true) => Some(Role::Read),
                    (false, false) => None,
                }
            }
            Kind::Check(check) => check(parts.clone()).await,
        }
    }
}

/// Returns the token of a request. The name of the scheme is case-insensitive.
fn bearer_of(parts: &Parts) -> Option<&[u8]> {
    let header = parts.headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = header.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

/// Shows how access is given, but no token.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Open => "Access(open)",
            Kind::Bearer { read: None, .. } => "Access(bearer)",
            Kind::Bearer { read: Some(_), .. } => "Access(bearer, read-only bearer)",
            Kind::Check(_) => "Access(check)",
        })
    }
}

const MAX_TOKEN: usize = 256;
const MIN_TOKEN: usize = 16;

/// A token in a buffer of fixed size: comparing two takes the same time for any content and length.
#[derive(Clone)]
struct Token {
    bytes: Box<[u8; MAX_TOKEN]>,
    length: u64,
}

impl Token {
    fn new(text: &str) -> Result<Self, AccessError> {
        let length = text.len();
        if length < MIN_TOKEN {
            return Err(AccessError::Short { length });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AccessError::Unprintable);
        }
        Self::padded(text.as_bytes()).ok_or(AccessError::Long { length })
    }

    fn padded(token: &[u8]) -> Option<Self> {
        let mut bytes = Box::new([0; MAX_TOKEN]);
        bytes.get_mut(..token.len())?.copy_from_slice(token);
        Some(Self {
            bytes,
            length: token.len() as u64,
        })
    }

    fn is(&self, other: &Self) -> Choice {
        self.bytes[..].ct_eq(&other.bytes[..]) & self.length.ct_eq(&other.length)
    }
}

/// A token that is rejected. Its text never contains the token.
///
/// ```
/// let error = scheduler_axum::Access::bearer("admin").unwrap_err();
/// assert!(error.to_string().contains("at least 16 bytes"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It could be guessed.
    #[error("the token has {length} bytes: give at least {MIN_TOKEN} bytes of random text")]
    Short {
        /// Its length in bytes.
        length: usize,
    },
    /// It is longer than a header should be.
    #[error("the token has {length} bytes: give at most {MAX_TOKEN}")]
    Long {
        /// Its length in bytes.
        length: usize,
    },
    /// It is not allowed in a header.
    #[error(
        "the token holds a blank, a control character or one outside of ASCII, which cannot be sent: \
         write it in base64 or as hexadecimal digits"
    )]
    Unprintable,
    /// The read-only token is the same as the one with full access.
    #[error("the read-only token is the same as the full one: give another one")]
    Same,
    /// There are no tokens to which a read-only one could be added.
    #[error("a read-only token stands beside a full one: begin with `Access::bearer(…)`")]
    NoTokens,
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn role(access: &Access, header: &str) -> Option<Role> {
        let request = Request::builder().header(AUTHORIZATION, header).body(());
        access.role(&request.unwrap().into_parts().0).await
    }

    #[tokio::test]
    async fn a_token_is_compared_as_a_whole() {
        let access = Access::bearer("0123456789abcdef").unwrap();
        let access = access.and_read_only("0123456789abcdef0").unwrap();
        for (header, expected) in [
            ("Bearer 0123456789abcdef", Some(Role::Full)),
            ("bearer 0123456789abcdef", Some(Role::Full)),
            ("BEARER  0123456789abcdef", Some(Role::Full)),
            ("Bearer 0123456789abcdef0", Some(Role::Read)),
            ("Bearer 0123456789abcdee", None),
            ("Bearer 0123456789abcde", None),
            ("Bearer 0123456789abcdef00", None),
            ("Bearer ", None),
            ("Bearer", None),
            ("", None),
            ("Basic 0123456789abcdef", None),
            ("0123456789abcdef", None),
        ] {
            assert_eq!(role(&access, header).await, expected, "{header}");
        }
        let long = format!("Bearer {}", "a".repeat(10_000));
        assert_eq!(role(&access, &long).await, None);
    }

    #[test]
    fn tokens_that_cannot_work_are_refused_when_they_are_given() {
        let refused = |token: &str| Access::bearer(token).unwrap_err();
        assert_eq!(refused(""), AccessError::Short { length: 0 });
        assert_eq!(refused(&"x".repeat(257)), AccessError::Long { length: 257 });
        assert_eq!(refused("sixteen bytes ok"), AccessError::Unprintable);
        assert_eq!(refused("sechzehn-bytes-ä"), AccessError::Unprintable);
        let open = Access::open().and_read_only("0123456789abcdef");
        assert_eq!(open.unwrap_err(), AccessError::NoTokens);
    }

    #[test]
    fn nothing_tells_a_token() {
        let access = Access::bearer("0123456789abcdef").unwrap();
        assert!(!format!("{access:?}").contains("0123"));
        let error = Access::bearer("tooshort").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("tooshort"));
    }
}
