//! The kinds of triggers, one file each.

pub(crate) mod calendar_interval;
pub(crate) mod combine;
pub(crate) mod custom;
pub(crate) mod date;
pub(crate) mod interval;
