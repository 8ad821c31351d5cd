//! A worker for the tests: carries out assignments that arrive as lines of JSON, and writes outcomes as lines of
//! JSON.
//!
//! It ends when its input ends.

#![allow(
    clippy::disallowed_methods,
    reason = "it lives in real time, as workers do"
)]

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use scheduler_core::{Cancellation, Outcome};
use serde::{Deserialize, Serialize};

/// A line that the scheduler's side writes.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Submit(Assignment),
    Cancel(Cancel),
}

#[derive(Deserialize)]
struct Assignment {
    task: String,
    arguments: HashMap<String, serde_json::Value>,
    run_id: String,
    attempt: u32,
}

#[derive(Deserialize)]
struct Cancel {
    run_id: String,
    attempt: u32,
    cancellation: Cancellation,
}

/// A line that this side writes.
#[derive(Serialize)]
struct Ended {
    run_id: String,
    attempt: u32,
    outcome: Outcome,
}

fn main() {
    let mut bodies: HashMap<(String, u32), Sender<Cancellation>> = HashMap::new();
    for line in std::io::stdin().lines() {
        let Ok(line) = line else {
            return;
        };
        match serde_json::from_str(&line) {
            Ok(Order::Submit(assignment)) => {
                let (sender, cancelled) = channel();
                let key = (assignment.run_id.clone(), assignment.attempt);
                bodies.insert(key, sender);
                std::thread::spawn(move || carry_out(assignment, &cancelled));
            }
            Ok(Order::Cancel(cancel)) => {
                if let Some(body) = bodies.get(&(cancel.run_id, cancel.attempt)) {
                    // The body may already have ended.
                    let _ = body.send(cancel.cancellation);
                }
            }
            Err(_) => return,
        }
    }
}

fn carry_out(assignment: Assignment, cancelled: &Receiver<Cancellation>) {
    let outcome = body(&assignment, cancelled);
    let ended = Ended {
        run_id: assignment.run_id,
        attempt: assignment.attempt,
        outcome,
    };
    if let Ok(text) = serde_json::to_string(&ended) {
        // Fails if the output is no longer read.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}

fn body(assignment: &Assignment, cancelled: &Receiver<Cancellation>) -> Outcome {
    let is_first = assignment.attempt == 1;
    match assignment.task.as_str() {
        "pipe_double" => {
            let number = assignment
                .arguments
                .get("number")
                .and_then(serde_json::Value::as_u64);
            Outcome::succeeded().with_value(number.map(|number| number * 2).into())
        }
        "pipe_fail" => Outcome::failed("no paper").with_duration(Duration::ZERO),
        "pipe_wait_at_first" if is_first => match cancelled.recv() {
            Ok(level) => Outcome::cancelled(Some(format!("stopped, {level:?}"))),
            Err(_) => Outcome::failed("the worker ends"),
        },
        "pipe_wait_at_first" => Outcome::succeeded().with_value(assignment.attempt.into()),
        // Ignores a cancellation for a while, and succeeds in the end.
        "pipe_stubborn" if is_first => {
            std::thread::sleep(Duration::from_millis(700));
            match cancelled.recv_timeout(Duration::ZERO) {
                Ok(_) | Err(RecvTimeoutError::Timeout) => {
                    Outcome::succeeded().with_value("late".into())
                }
                Err(RecvTimeoutError::Disconnected) => Outcome::failed("the worker ends"),
            }
        }
        "pipe_stubborn" => Outcome::succeeded().with_value("in time".into()),
        unknown => Outcome::failed(format!("no task `{unknown}`")),
    }
}
