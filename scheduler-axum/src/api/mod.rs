//! The routes, one file per resource.

pub(crate) mod create;
pub(crate) mod dropped;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod nodes;
pub(crate) mod openapi;
pub(crate) mod preview;
pub(crate) mod runs;
pub(crate) mod session;
pub(crate) mod tasks;
pub(crate) mod upcoming;
