//! The API of the service, called directly.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null if there is none or it is not JSON.
    pub body: Value,
}

/// A client of the API.
#[derive(Debug)]
pub struct Api {
    base: String,
    token: Option<&'static str>,
    client: Client<HttpConnector, Body>,
}

impl Api {
    pub(crate) fn new(base: &str, token: Option<&'static str>) -> Self {
        Self {
            base: format!("{base}api/"),
            token,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Sends a request to a path below `api/`. Returns `None` if the service does not answer.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(token) = self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self
            .client
            .request(request.body(body).unwrap())
            .await
            .ok()?;
        let status = response.status();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        Some(Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        })
    }

    /// Sends a GET request and returns the body.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.try_send(Method::GET, path, None).await;
        let answer = answer.expect("the service answers");
        assert!(answer.status.is_success(), "GET {path}: {answer:?}");
        answer.body
    }

    /// Returns the status of a GET request.
    pub async fn status(&self, path: &str) -> StatusCode {
        let answer = self.try_send(Method::GET, path, None).await;
        answer.expect("the service answers").status
    }

    /// Sends a POST request and returns the body.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.try_send(Method::POST, path, Some(body)).await;
        let answer = answer.expect("the service answers");
        assert!(answer.status.is_success(), "POST {path} {body}: {answer:?}");
        answer.body
    }

    /// Sends a PATCH request and returns the body.
    pub async fn patch(&self, path: &str, body: &Value) -> Value {
        let answer = self.try_send(Method::PATCH, path, Some(body)).await;
        let answer = answer.expect("the service answers");
        assert!(
            answer.status.is_success(),
            "PATCH {path} {body}: {answer:?}"
        );
        answer.body
    }

    /// Returns a job by its id.
    pub async fn job(&self, id: &str) -> Value {
        self.get(&format!("jobs/{}", segment(id))).await
    }

    /// Returns the newest runs of a job, newest first.
    pub async fn runs(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("jobs/{}/runs", segment(id))).await;
        page["items"].as_array().unwrap().clone()
    }

    /// Returns the current time of the service, in RFC 3339.
    pub async fn now(&self) -> String {
        self.get("session").await["now"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// Escapes text for one segment of a URL.
fn segment(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            url.push(byte.into());
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}
