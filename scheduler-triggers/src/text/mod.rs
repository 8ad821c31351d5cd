//! The text form: what `Display` writes and `FromStr` reads.

pub(crate) mod duration;
pub(crate) mod foreign;
mod pairs;
pub(crate) mod parse;
pub(crate) mod time_of_day;
pub(crate) mod words;

use std::fmt;

use crate::trigger::Trigger;

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind_of().write(f)?;
        self.kind_of().options().write(f)
    }
}
