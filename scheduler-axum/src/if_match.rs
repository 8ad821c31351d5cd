//! `If-Match` (RFC 9110): a change that is only made if the job is still as the caller has seen it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use scheduler_core::Revision;

/// Which revisions of a job a request may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Any, since the request does not restrict it.
    Any,
    /// One of these; none if no tag is that of a revision.
    OneOf(Vec<Revision>),
}

impl IfMatch {
    /// Returns `true` if a job of this revision may be changed.
    pub(crate) fn allows(&self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&revision),
        }
    }

    fn read<'a>(mut values: impl Iterator<Item = &'a str>) -> Self {
        let mut revisions = Vec::new();
        let mut is_given = false;
        for tag in values.by_ref().flat_map(|value| value.split(',')) {
            is_given = true;
            match tag.trim() {
                "*" => return Self::Any,
                tag => revisions.extend(revision(tag)),
            }
        }
        if is_given {
            Self::OneOf(revisions)
        } else {
            Self::Any
        }
    }
}

/// Returns the revision at the beginning of a tag; the rest is about the newest runs. Proxies that compress mark tags
/// as weak.
fn revision(tag: &str) -> Option<Revision> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.split('-').next()?.parse().ok()
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts.headers.get_all(IF_MATCH).iter();
        Ok(Self::read(
            values.map(|value| value.to_str().unwrap_or_default()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_by_the_revision_that_they_begin_with() {
        let revision: Revision = "0123456789abcdef".parse().unwrap();
        for (values, expected) in [
            (&[][..], true),
            (&["*"], true),
            (&["\"0123456789abcdef\""], true),
            (&["0123456789abcdef"], true),
            (&["\"0123456789abcdef-0000000000000001\""], true),
            (&["W/\"0123456789abcdef-0000000000000001-gzip\""], true),
            (&["\"other\", \"0123456789abcdef\""], true),
            (&["\"other\"", "\"0123456789abcdef\""], true),
            (&["\"0123456789abcdee\""], false),
            (&["\"other\""], false),
            (&[""], false),
        ] {
            let read = IfMatch::read(values.iter().copied());
            assert_eq!(read.allows(revision), expected, "{values:?}");
        }
    }
}
