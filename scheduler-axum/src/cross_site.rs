//! Pages of other sites cannot change anything, even in a browser that has access.

use std::net::IpAddr;

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{Method, uri::Authority};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns `true` if the origin of a request allows it to make changes.
///
/// Browsers send the origin of a request in `Sec-Fetch-Site`, older ones in `Origin`. A request with neither does not
/// come from a browser.
pub(crate) fn is_allowed(parts: &Parts) -> bool {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return true;
    }
    if let Some(site) = parts.headers.get(SEC_FETCH_SITE) {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    match parts.headers.get(ORIGIN) {
        None => true,
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| is_same_host(origin, parts)),
    }
}

fn is_same_host(origin: &str, parts: &Parts) -> bool {
    let default_port = match origin.split_once("://") {
        Some(("https", _)) => 443,
        Some(("http", _)) => 80,
        // `null`, or a browser's extension.
        _ => return false,
    };
    let origin = origin.split_once("://").map_or("", |(_, host)| host);
    let asked = asked_host(parts);
    let place = |authority: &Authority| {
        let host = authority.host().to_ascii_lowercase();
        (host, authority.port_u16().unwrap_or(default_port))
    };
    match (origin.parse::<Authority>(), asked) {
        (Ok(origin), Some(asked)) => place(&origin) == place(&asked),
        _ => false,
    }
}

/// Returns the host that a request is for.
fn asked_host(parts: &Parts) -> Option<Authority> {
    match parts.headers.get(HOST) {
        Some(host) => host.to_str().ok().and_then(|host| host.parse().ok()),
        // HTTP/2 has it in the request line.
        None => parts.uri.authority().cloned(),
    }
}

/// Returns `true` if a request is for a name that an attacker cannot point to this machine: `localhost`, or an IP
/// address. Browsers always send the host.
pub(crate) fn is_by_own_name(parts: &Parts) -> bool {
    let Some(asked) = asked_host(parts) else {
        return !parts.headers.contains_key(HOST);
    };
    let host = asked.host().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn is_taken(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/api/jobs");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_allowed(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn browsers_say_where_a_request_comes_from() {
        for (site, expected) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("", false),
            ("Same-Origin", false),
        ] {
            assert_eq!(is_taken("POST", &[("sec-fetch-site", site)]), expected);
            assert!(is_taken("GET", &[("sec-fetch-site", site)]));
            assert!(is_taken("HEAD", &[("sec-fetch-site", site)]));
        }
    }

    #[test]
    fn an_origin_is_compared_with_the_host() {
        for (origin, host, expected) in [
            ("http://localhost:3000", "localhost:3000", true),
            ("http://LOCALHOST:3000", "localhost:3000", true),
            ("http://localhost:3000", "localhost:8080", false),
            ("https://example.com", "example.com", true),
            ("https://example.com", "example.com:443", true),
            ("https://example.com:443", "example.com", true),
            ("http://example.com", "example.com:443", false),
            ("http://[::1]:80", "[::1]", true),
            ("https://example.com.evil.net", "example.com", false),
            ("https://evil.net", "example.com", false),
            ("null", "example.com", false),
            ("", "example.com", false),
            ("file://", "example.com", false),
            ("https://", "example.com", false),
        ] {
            let headers = [("origin", origin), ("host", host)];
            assert_eq!(is_taken("DELETE", &headers), expected, "{origin} {host}");
        }
        assert!(!is_taken("POST", &[("origin", "http://a.net")]));
        assert!(is_taken("POST", &[("host", "a.net")]));
    }

    #[test]
    fn what_the_browser_says_counts_more_than_an_origin() {
        let headers = [
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://a.net"),
            ("host", "a.net"),
        ];
        assert!(!is_taken("POST", &headers));
    }

    #[test]
    fn names_that_others_can_give_are_told_from_those_they_cannot() {
        let is_own = |host: Option<&str>| {
            let mut request = Request::builder().uri("/api/jobs");
            if let Some(host) = host {
                request = request.header("host", host);
            }
            is_by_own_name(&request.body(()).unwrap().into_parts().0)
        };
        for host in [
            "localhost",
            "LocalHost:8080",
            "app.localhost:80",
            "127.0.0.1:8080",
            "[::1]:8080",
            "10.0.0.7",
        ] {
            assert!(is_own(Some(host)), "{host}");
        }
        for host in [
            "evil.com",
            "evil.com:8080",
            "127.0.0.1.evil.com",
            "localhost.evil.com",
            "",
            "a b",
        ] {
            assert!(!is_own(Some(host)), "{host}");
        }
        assert!(is_own(None));
    }
}
