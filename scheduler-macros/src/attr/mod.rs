//! Parsing of the attributes: from tokens to checked values.

mod args;
mod entry;
mod habit;
mod job;
mod job_habits;
mod job_keys;
mod job_type;
mod keys;
mod kind;
mod names;
mod paused;
mod policy;
mod task;
mod trigger;
mod trigger_error;
mod trigger_words;
mod unit;
mod value;
mod written;

pub(crate) use entry::{Value, entries};
pub(crate) use job::JobAttr;
pub(crate) use keys::{Key, Keys};
pub(crate) use names::Name;
pub(crate) use policy::{Policy, PolicyValue};
pub(crate) use task::TaskAttr;
