//! The handlers, one file per resource, and the list of all routes.

mod create;
mod events;
mod health;
mod job_answer;
mod jobs;
mod nodes;
mod openapi;
mod preview;
mod runs;
mod session;
mod skipped;
mod tasks;
mod upcoming;

use crate::access::Role;
use crate::route::{Route, routes};

/// Returns the routes of the API: the router and its description are both built from this list.
pub(crate) fn routes() -> Vec<Route> {
    routes! {
        // They reveal nothing about the contents of the scheduler.
        None => [openapi::show, health::live, health::ready]
        Some(Role::Read) => [
            session::show,
            jobs::list,
            jobs::show,
            runs::list_of_job,
            runs::list,
            runs::show,
            upcoming::list,
            preview::show,
            tasks::list,
            nodes::list,
            skipped::list,
            health::show,
            events::stream,
        ]
        Some(Role::Full) => [
            create::create,
            jobs::change,
            jobs::remove,
            jobs::reschedule,
            jobs::pause,
            jobs::resume,
            jobs::run_now,
            runs::cancel,
        ]
    }
}
