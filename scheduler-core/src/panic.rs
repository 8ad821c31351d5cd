//! Panics in user code.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::task::failure::TaskFailure;

/// Returns the message of a panic.
pub(crate) fn panic_text(payload: Box<dyn Any + Send>) -> Box<str> {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not text".to_owned())
        .into_boxed_str();
    // The payload comes from the user too, and may panic when it is dropped.
    if let Err(another) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(another);
    }
    text
}

/// Calls a trigger, which may be user code and panic. Returns the panic's message in that case.
pub(crate) fn catch_trigger<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|payload| format!("its trigger panicked: {}", panic_text(payload)))
}

/// Reads an argument or creates its default, which may be user code and panic. Returns what is wrong.
pub(crate) fn catch_argument(
    name: &str,
    is_secret: bool,
    check: impl FnOnce() -> Result<(), TaskFailure>,
) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(checked) => checked.map_err(|failure| failure.to_string()),
        // The panic's message may contain the value.
        Err(_) if is_secret => Err(format!(
            "argument `{name}`: its default or its type panicked"
        )),
        Err(payload) => Err(format!(
            "argument `{name}`: its default or its type panicked: {}",
            panic_text(payload)
        )),
    }
}
