//! A separate driver for each browser, on a port that the system chooses.

use std::io::{BufRead, BufReader};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::folder;
use crate::lifeline::Tied;
use crate::programs::Programs;

const SWITCHES: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-search-engine-choice-screen",
    "--hide-scrollbars",
    "--lang=en-US",
    "--window-size=1280,900",
];

/// The running driver; it and its browser end when this is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    _tied: Tied,
}

impl Driver {
    /// Starts a driver, and a browser with a new profile.
    pub(crate) async fn start(programs: &Programs) -> (Self, Client) {
        let folder = folder::create("profile");
        let profile = folder.join("profile");
        let mut tied = Tied::start(&programs.driver, &["--port=0"], &folder);
        let mut lines = BufReader::new(tied.output().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split_once("started successfully on port ")?.1;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("the driver prints its port");
        // Drains its output, which nothing else reads.
        std::thread::spawn(move || lines.for_each(drop));
        let driver = Self { _tied: tied };

        let switches = SWITCHES.iter().map(|&switch| switch.to_owned());
        let profile = format!("--user-data-dir={}", profile.display());
        let arguments: Vec<String> = switches.chain([profile]).collect();
        let capabilities: Capabilities = [
            ("browserName".to_owned(), json!("chrome")),
            (
                "goog:chromeOptions".to_owned(),
                json!({ "binary": programs.browser, "args": arguments }),
            ),
            ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
            // An unexpected dialog makes the next command fail.
            ("unhandledPromptBehavior".to_owned(), json!("ignore")),
        ]
        .into_iter()
        .collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        (driver, client)
    }
}
