//! Entity tags (RFC 9110): they show whether a client already has an answer.

use std::fmt;

use axum::http::header::IF_NONE_MATCH;
use axum::http::{HeaderMap, HeaderValue};
use scheduler_core::__private::Fnv1a;
use scheduler_core::Revision;

/// The suffix of the tag of a compressed answer, which has other bytes.
const COMPRESSED: &str = "-gzip";

/// Identifies an answer: a hash of its bytes, after the revision of the job that it shows.
///
/// A plain hash is enough: answers differ over time, and no one gains from two answers with the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityTag {
    revision: Option<Revision>,
    hash: u64,
}

impl EntityTag {
    pub(crate) fn of(bytes: &[u8], revision: Option<Revision>) -> Self {
        Self {
            revision,
            hash: Fnv1a::new().bytes(bytes).finish(),
        }
    }

    /// Returns the value of the header.
    pub(crate) fn header(self, is_compressed: bool) -> Option<HeaderValue> {
        let end = if is_compressed { COMPRESSED } else { "" };
        HeaderValue::try_from(format!("\"{self}{end}\"")).ok()
    }

    /// Returns `true` if a client that sends these headers has the answer, compressed or not.
    pub(crate) fn is_known(self, request: &HeaderMap) -> bool {
        let own = self.to_string();
        written(request).any(|tag| tag == "*")
            || known(request).any(|tag| tag.strip_suffix(COMPRESSED).unwrap_or(tag) == own)
    }

    /// Returns `true` if such a client has the compressed answer.
    pub(crate) fn is_known_compressed(self, request: &HeaderMap) -> bool {
        let own = self.to_string();
        known(request).any(|tag| tag.strip_suffix(COMPRESSED) == Some(own.as_str()))
    }
}

/// Returns the tags that a request names, unparsed.
fn written(request: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = request.get_all(IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Returns the tags that a request names, without quotes. Weak tags count: they only decide whether to send the body.
fn known(request: &HeaderMap) -> impl Iterator<Item = &str> {
    written(request).map(|tag| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"'))
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(revision) = self.revision {
            write!(f, "{revision}-")?;
        }
        write!(f, "{:016x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_known_in_every_form_that_clients_send() {
        let revision = "0123456789abcdef".parse().ok();
        let tag = EntityTag::of(b"answer", revision);
        assert!(tag.to_string().starts_with("0123456789abcdef-"));
        for (sent, is_known, is_compressed) in [
            (format!("\"{tag}\""), true, false),
            (format!("W/\"{tag}\""), true, false),
            (format!("\"other\", \"{tag}-gzip\""), true, true),
            ("*".to_owned(), true, false),
            ("\"*\"".to_owned(), false, false),
            ("W/\"*\"".to_owned(), false, false),
            ("\"other\"".to_owned(), false, false),
            (format!("\"{tag}-br\""), false, false),
            (String::new(), false, false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, sent.parse().unwrap())]);
            assert_eq!(tag.is_known(&headers), is_known, "{sent}");
            assert_eq!(tag.is_known_compressed(&headers), is_compressed, "{sent}");
        }
        assert!(!tag.is_known(&HeaderMap::new()));
    }
}
