//! No text panics the parser, whatever parses round-trips, and no search goes back or on for ever.

#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use scheduler_triggers::Trigger;

/// Months of 1970 to 2099, looked at once per answer and once more where clocks change.
const MAX_STEPS: u32 = 2 * 1_560 + 16;

fuzz_target!(|input: (i64, &str)| {
    let (seconds, text) = input;
    let trigger = match text.parse::<Trigger>() {
        Ok(trigger) => trigger,
        Err(error) => {
            let _ = format!("{error} {error:#}");
            return;
        }
    };
    let written = trigger.to_string();
    assert_eq!(written.parse::<Trigger>().as_ref(), Ok(&trigger), "{written}");
    let after = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH);
    let (next, steps) = trigger.next_after_counted(after);
    if !matches!(trigger.kind(), "and" | "or") {
        assert!(steps <= MAX_STEPS, "{written}: {steps} steps");
    }
    if let Some(next) = next {
        assert!(next > after, "{written}");
        assert_eq!(trigger.latest_in(after, next), Some(next), "{written}");
    }
});
