//! Sends the requests in the README to the service, and compares the responses with those in the README.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use scheduler_test_servers::postgres;

/// The running service; it is killed if the test ends early.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(database_url: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_web_app"))
            .env("DATABASE_URL", database_url)
            .env("LISTEN", "127.0.0.1:0")
            .env("NO_COLOR", "1")
            .env_remove("SCHEDULER_TOKEN")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("the service is at http://")?;
                Some(rest.split_once('/')?.0.to_owned())
            })
            .expect("it tells where it is");
        // The test does not read the rest, but a full pipe would block the service.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process, address }
    }

    /// Stops the service like a deploy. Returns `true` if it exited successfully.
    fn stop(mut self) -> bool {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap().success()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command, and its response.
struct Exchange {
    command: String,
    answer: String,
}

fn exchanges() -> Vec<Exchange> {
    let text = include_str!("../README.md");
    let mut exchanges: Vec<Exchange> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                let (command, answer) = (command.to_owned(), String::new());
                exchanges.push(Exchange { command, answer });
            } else {
                let answer = &mut exchanges.last_mut().unwrap().answer;
                answer.push_str(line);
                answer.push('\n');
            }
        }
    }
    exchanges
}

/// Returns `true` if the text matches the pattern, in which `…` matches anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once('…') else {
        return pattern == text;
    };
    let (middle, last) = others.rsplit_once('…').unwrap_or(("", others));
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let Some(mut rest) = text.strip_suffix(last) else {
        return false;
    };
    middle.split('…').all(|part| {
        let found = rest.split_once(part);
        found.is_some_and(|(_, after)| {
            rest = after;
            true
        })
    })
}

/// Runs all commands in one shell, so that variables persist.
fn answers(address: &str, exchanges: &[Exchange]) -> Vec<String> {
    const END: &str = "@@end of the answer@@";
    let mut shell = Command::new("bash")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    for exchange in exchanges {
        let command = exchange.command.replace("127.0.0.1:8080", address);
        writeln!(stdin, "{command}; echo; echo '{END}'").unwrap();
    }
    drop(stdin);
    let output = shell.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(END)
        .map(|answer| answer.trim().to_owned())
        .collect()
}

fn check(database_url: &str) {
    let service = Service::start(database_url);
    let exchanges = exchanges();
    assert!(exchanges.len() >= 11);
    let answers = answers(&service.address, &exchanges);
    for (exchange, answer) in exchanges.iter().zip(&answers) {
        let expected = exchange.answer.trim();
        assert!(
            fits(expected, answer),
            "{}\nexpected: {expected}\nanswered: {answer}",
            exchange.command
        );
    }
    assert!(service.stop());
}

#[test]
fn the_requests_are_answered_as_the_readme_says() {
    let folder = std::env::temp_dir().join(format!("web_app-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    check(&format!("sqlite://{}", folder.join("web_app.db").display()));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn postgresql_answers_the_same() {
    let Some(database) = postgres::database() else {
        return;
    };
    check(&database.url());
}

#[test]
fn what_does_not_fit_is_seen() {
    assert!(fits("a…c", "a b c"));
    assert!(fits("a…", "a b c"));
    assert!(!fits("a…c", "a b"));
    assert!(!fits("a", "ab"));
    assert!(!fits("a…b", "a b c"));
    assert!(fits("{…b…}", "{{a}b}"));
    assert!(!fits("ab…bc", "abc"));
}
