//! One measurement: a process, its last line, and its time limit.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The figures of a process, by name.
pub type Figures = BTreeMap<String, f64>;

/// Longer than any measurement that ends at all.
const LIMIT: Duration = Duration::from_secs(240);

/// Runs the process and parses the JSON in its last line.
pub fn run(command: &mut Command) -> Result<Figures, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let out = collect(child.stdout.take());
    let complaints = collect(child.stderr.take());
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begun.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("not done after {} s", LIMIT.as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let text = out.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    if !status.success() {
        let last: Vec<&str> = complaints.lines().rev().take(2).collect();
        return Err(format!(
            "{status}: {}",
            last.into_iter().rev().collect::<Vec<_>>().join(" ")
        ));
    }
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| format!("{error} in `{last}`"))
}

/// Reads on a thread, so that a full pipe does not block the process. Only the end is kept.
fn collect(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0; 8_192];
        let Some(mut from) = from else {
            return String::new();
        };
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..count]);
            if kept.len() > 200_000 {
                kept.drain(..100_000);
            }
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Figures, String> {
        run(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn the_last_line_counts() {
        let figures = shell(r#"echo hello; echo '{"a":1.5,"b":2}'"#).unwrap();
        assert_eq!(
            figures,
            Figures::from([("a".to_owned(), 1.5), ("b".to_owned(), 2.0)])
        );
    }

    #[test]
    fn what_went_wrong_is_reported() {
        assert!(shell("echo no >&2; exit 3").unwrap_err().contains("no"));
        assert!(shell("echo no").unwrap_err().contains("`no`"));
    }
}
