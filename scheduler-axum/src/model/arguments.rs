//! The arguments of a job.

use scheduler_core::Arguments;
use serde_json::Value;

use crate::object::{Object, kind};

/// Takes `arguments` out of a body.
pub(crate) fn take(body: &mut Object) -> Option<Arguments> {
    match body.take("arguments")? {
        Value::Object(arguments) => Some(arguments.into()),
        other => {
            let message = format!(
                "it has to be an object with the arguments by name, not {}",
                kind(&other)
            );
            body.wrong("arguments", message);
            None
        }
    }
}
