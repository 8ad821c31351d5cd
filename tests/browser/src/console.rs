//! The messages of the browser's console.

use std::fmt;

use fantoccini::Client;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

/// One console message.
#[derive(Debug, Clone)]
pub struct Message {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// Its source: `javascript`, `console-api`, `network`, `security`, …
    pub source: String,
    /// Its text, with the location that it refers to.
    pub text: String,
}

impl Message {
    /// Returns `true` if the message indicates a fault of the page: any warning or error, except for failed or
    /// missing responses, which the page shows itself and the browser logs anyway.
    pub fn is_fault(&self) -> bool {
        self.source != "network" && matches!(&*self.level, "SEVERE" | "WARNING")
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.level, self.source, self.text)
    }
}

/// A command of Chromium's driver that is not in the standard.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) path: &'static str,
    pub(crate) body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.body.to_string()))
    }
}

/// Returns the messages written since the last call.
pub(crate) async fn take(client: &Client) -> Result<Vec<Message>, CmdError> {
    let command = Own {
        path: "se/log",
        body: json!({ "type": "browser" }),
    };
    let entries = client.issue_cmd(command).await?;
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let entries = entries.as_array().into_iter().flatten();
    Ok(entries
        .map(|entry| Message {
            level: text(entry, "level"),
            source: text(entry, "source"),
            text: text(entry, "message"),
        })
        .collect())
}
