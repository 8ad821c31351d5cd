//! The text form, as written by `Display` and read by `FromStr`.

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
