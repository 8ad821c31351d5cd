//! The page and its files, under a strict content security policy. They hold no data.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use scheduler_core::__private::Fnv1a;

use crate::path::FileName;
use crate::policy_table;
use crate::problem::Problem;
use crate::state::Web;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($content_type:ident: $($name:literal),+ ;)+) => {
        &[$($(Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../assets/", $name)),
        }),+),+]
    };
}

const INDEX: &str = "index.html";

/// Every file of the page that is stored; a test compares the list with the folder.
const ASSETS: &[Asset] = assets! {
    HTML: "index.html";
    CSS: "style.css";
    SVG: "icon.svg";
    JS: "access.js", "actions.js", "api.js", "app.js", "arguments.js", "dialog.js", "dom.js", "skipped.js", "events.js", "filters.js", "format.js", "health.js", "job.js", "jobs.js", "keys.js", "list.js", "nodes.js", "pager.js", "policies.js", "run.js", "runs.js", "state.js", "theme.js", "timeline.js", "timeline_data.js", "toast.js", "trigger.js";
};

/// The routes of the page, which everybody may use.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/", get(index))
        .route("/index.html", get(index_file))
        .route("/assets/{file}", get(asset))
}

/// Marks an answer that says itself how long it may be kept.
#[derive(Clone, Copy)]
pub(crate) struct Kept;

/// The page; where its path has no slash at the end, a way to one that stands below it.
///
/// The links of the page are relative, and so is this way: a proxy may have taken a prefix off. It
/// leads to the name of the file, because `Router::nest` has no route for the path with the slash.
async fn index(request: Request) -> Response {
    let original = request.extensions().get::<OriginalUri>();
    let path = original.map_or(request.uri().path(), |uri| uri.path());
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        return file(INDEX, request.headers());
    }
    // `./` keeps a colon in the segment from being taken for a scheme.
    match HeaderValue::try_from(format!("./{last}/{INDEX}")) {
        Ok(location) => {
            let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => nothing(),
    }
}

/// The page under the name of its file.
async fn index_file(headers: HeaderMap) -> Response {
    file(INDEX, &headers)
}

async fn asset(FileName(name): FileName, headers: HeaderMap) -> Response {
    if name == INDEX {
        return nothing();
    }
    file(&name, &headers)
}

fn nothing() -> Response {
    let detail = "the page has no such file";
    Problem::new(StatusCode::NOT_FOUND, detail).into_response()
}

fn file(name: &str, request: &HeaderMap) -> Response {
    let stored = ASSETS.iter().find(|asset| asset.name == name);
    let (content_type, bytes) = match stored {
        Some(asset) => (asset.content_type, asset.bytes),
        None if name == policy_table::NAME => (JS, policy_table::text().as_bytes()),
        None => return nothing(),
    };
    let tag = format!("\"{:016x}\"", fingerprint(bytes));
    let is_known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(bytes));
        let content_type = HeaderValue::from_static(content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        // Asked for anew each time, and answered by 304: a new version of the service has new files.
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response.extensions_mut().insert(Kept);
    response
}

/// A hash is enough: files differ from version to version, and nobody gains by making two that do not.
fn fingerprint(bytes: &[u8]) -> u64 {
    Fnv1a::new().bytes(bytes).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort_unstable();
        let mut listed: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        listed.sort_unstable();
        assert_eq!(there, listed);
    }
}
