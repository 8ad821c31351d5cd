//! The page and its files, under a strict content security policy. They contain no data.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, LOCATION, REFERRER_POLICY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::entity_tag::EntityTag;
use crate::path::FileName;
use crate::problem::Problem;
use crate::state::Web;
use crate::{bundle, conditional, gzip, policy_table};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page, as stored in the program.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($content_type:ident: $($name:literal),+ ;)+) => {
        &[$($(Asset {
            name: $name,
            content_type: $content_type,
            text: include_str!(concat!("../assets/", $name)),
        }),+),+]
    };
}

const INDEX: &str = "index.html";
/// The module that starts the page. It is served with all others joined into it.
const ENTRY: &str = "app.js";
/// The files that the page loads.
const LOADED: [&str; 4] = ["icon.svg", "style.css", "theme.js", ENTRY];

/// All stored files of the page; a test compares the list with the folder.
const ASSETS: &[Asset] = assets! {
    HTML: "index.html";
    CSS: "style.css";
    SVG: "icon.svg";
    JS: "access.js", "actions.js", "api.js", "app.js", "arguments.js", "dialog.js", "dom.js", "edit.js", "skipped.js", "events.js", "filters.js", "format.js", "health.js", "job.js", "jobs.js", "json.js", "keys.js", "list.js", "nodes.js", "pager.js", "policies.js", "run.js", "runs.js", "state.js", "theme.js", "timeline.js", "timeline_data.js", "toast.js", "trigger.js", "visible.js";
};

fn asset_text(name: &str) -> Option<&'static str> {
    if name == policy_table::NAME {
        return Some(policy_table::text());
    }
    let stored = ASSETS.iter().find(|asset| asset.name == name);
    stored.map(|asset| asset.text)
}

/// A file as it is served.
struct File {
    name: &'static str,
    content_type: &'static str,
    tag: EntityTag,
    bytes: Bytes,
    compressed: Option<Bytes>,
}

impl File {
    fn new(name: &'static str, text: String) -> Self {
        let stored = ASSETS.iter().find(|asset| asset.name == name);
        Self {
            name,
            content_type: stored.map_or(JS, |asset| asset.content_type),
            tag: EntityTag::of(text.as_bytes(), None),
            compressed: gzip::file(text.as_bytes()).map(Bytes::from),
            bytes: text.into(),
        }
    }

    /// Returns the name under which a browser may keep the file forever: it includes a hash of the content.
    fn lasting_name(&self) -> String {
        let (stem, ending) = self.name.rsplit_once('.').unwrap_or((self.name, ""));
        format!("{stem}-{}.{ending}", self.tag)
    }
}

/// Returns the served files. They are created once: joined, named and compressed.
fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files: Vec<File> = LOADED
            .into_iter()
            .map(|name| {
                let text = match name {
                    ENTRY => bundle::join(ENTRY, asset_text),
                    name => asset_text(name).unwrap_or_default().to_owned(),
                };
                File::new(name, text)
            })
            .collect();
        let index = asset_text(INDEX).unwrap_or_default().to_owned();
        let index = files.iter().fold(index, |index, file| {
            let lasting = format!("assets/{}", file.lasting_name());
            index.replace(&format!("assets/{}", file.name), &lasting)
        });
        files.push(File::new(INDEX, index));
        files
    })
}

/// Returns the routes of the page, which are public.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/", get(index))
        .route("/index.html", get(index_file))
        .route("/assets/{file}", get(asset))
}

/// Marks a response that sets its own cache lifetime.
#[derive(Clone, Copy)]
pub(crate) struct Kept;

/// Returns the page, or redirects to its file if the path has no slash at the end.
///
/// The links of the page are relative, and so is this redirect: a proxy may have removed a prefix. It leads to the name
/// of the file, because `Router::nest` has no route for the path with the slash.
async fn index(request: Request) -> Response {
    let original = request.extensions().get::<OriginalUri>();
    let path = original.map_or(request.uri().path(), |uri| uri.path());
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        return file(INDEX, request.headers());
    }
    // `./` keeps a colon in the segment from being read as a scheme.
    match HeaderValue::try_from(format!("./{last}/{INDEX}")) {
        Ok(location) => {
            let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => nothing(),
    }
}

/// Returns the page under the name of its file.
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

/// How long a file may be cached under the requested name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    /// The name includes a hash of the content.
    Forever,
    /// The name does not depend on the content: a new version of the service has new files.
    AskAgain,
    /// The name belongs to another version of the service, whose page was sent by another node.
    Never,
}

impl Keeping {
    fn as_str(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::AskAgain => "no-cache",
            Self::Never => "no-store",
        }
    }
}

/// Finds the file of a name, with or without the hash of its content.
fn find(name: &str) -> Option<(&'static File, Keeping)> {
    files().iter().find_map(|file| {
        if name == file.name {
            return Some((file, Keeping::AskAgain));
        }
        if name == file.lasting_name() {
            return Some((file, Keeping::Forever));
        }
        let (stem, ending) = file.name.rsplit_once('.')?;
        let hash = name.strip_prefix(stem)?.strip_prefix('-')?;
        let hash = hash.strip_suffix(ending)?.strip_suffix('.')?;
        let is_hash = hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hash.then_some((file, Keeping::Never))
    })
}

fn file(name: &str, request: &HeaderMap) -> Response {
    let Some((file, keeping)) = find(name) else {
        return nothing();
    };
    let mut response = if file.tag.is_known(request) {
        conditional::not_modified(file.tag, request)
    } else {
        let mut response = Response::new(Body::empty());
        let content_type = HeaderValue::from_static(file.content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        let compressed = file.compressed.clone();
        let compressed = compressed.filter(|_| gzip::is_accepted(request));
        conditional::fill(&mut response, file.bytes.clone(), compressed, file.tag);
        response
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, keeping.as_str()),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response.extensions_mut().insert(Kept);
    response
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

    #[test]
    fn every_module_is_in_the_bundle_and_can_be_joined() {
        let script = bundle::join(ENTRY, asset_text);
        let modules = ASSETS.iter().filter(|asset| asset.content_type == JS);
        for name in modules
            .map(|asset| asset.name)
            .filter(|name| *name != "theme.js")
        {
            let start = format!("const ${} = (() => {{\n", name.trim_end_matches(".js"));
            assert_eq!(script.matches(&start).count(), 1, "{name}");
        }
        for (number, line) in script.lines().enumerate() {
            let word = line.split([' ', '(', '{']).next().unwrap_or_default();
            assert!(!matches!(word, "import" | "export"), "{number}: {line}");
        }
        // A use before the definition would be a circular import.
        let mut known = Vec::new();
        for line in script.lines() {
            if let Some(name) = line
                .strip_prefix("const $")
                .and_then(|rest| rest.strip_suffix(" = (() => {"))
            {
                known.push(name);
            } else if let Some((_, from)) = line
                .strip_prefix("const {")
                .and_then(|rest| rest.strip_suffix(';')?.split_once("} = $"))
            {
                let (before, own) = (&known[..known.len() - 1], known[known.len() - 1]);
                assert!(before.contains(&from), "`{own}` uses `{from}` too early");
            }
        }
    }

    #[test]
    fn files_are_kept_by_the_names_that_say_what_is_in_them() {
        let file = find(ENTRY).unwrap().0;
        assert_eq!(find(&file.lasting_name()).unwrap().1, Keeping::Forever);
        assert_eq!(find("app.js").unwrap().1, Keeping::AskAgain);
        assert_eq!(find("app-0123456789abcdef.js").unwrap().1, Keeping::Never);
        for name in [
            "app-0123456789abcdeg.js",
            "app-.js",
            "app-0123456789abcdef.css",
            "jobs.js",
            "",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
        let index = find(INDEX).unwrap().0;
        let text = std::str::from_utf8(&index.bytes).unwrap();
        for name in LOADED {
            assert!(
                text.contains(&find(name).unwrap().0.lasting_name()),
                "{name}"
            );
            assert!(!text.contains(&format!("assets/{name}")), "{name}");
        }
    }
}
