//! `#[task]`.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path};

use super::entry;
use super::job::{bare_literals, crate_path};
use super::job_keys::{CRATE, JOB_TYPE};
use super::job_type;
use super::keys::{Habit, Key, Keys};
use super::names::Name;
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "`#[task]`",
    groups: &[&[
        Key::text("name", "name = \"send_reminder\""),
        CRATE,
        JOB_TYPE,
    ]],
    around: &[],
    habits: &[
        Habit::other(
            "id",
            "an id belongs to a job: give it at run time, with `.id(…)`, or use `#[scheduled_job]`",
        ),
        Habit::other(
            "cron",
            "a trigger belongs to a job: use `#[scheduled_job(cron = …)]`",
        ),
        Habit::other(
            "interval",
            "a trigger belongs to a job: use `#[scheduled_job(interval = …)]`",
        ),
        Habit::other(
            "date",
            "a trigger belongs to a job: use `#[scheduled_job(date = …)]`",
        ),
        Habit::other(
            "calendar_interval",
            "a trigger belongs to a job: use `#[scheduled_job(calendar_interval(…))]`",
        ),
        Habit::other(
            "timeout",
            "policies belong to a job: give them at run time, with `.timeout(…)`",
        ),
        Habit::other(
            "retries",
            "policies belong to a job: give them at run time, with `.retries(…)`",
        ),
        Habit::other(
            "max_instances",
            "policies belong to a job: give them at run time, with `.max_instances(…)`",
        ),
    ],
};

/// What a `#[task]` says.
pub(crate) struct TaskAttr {
    pub(crate) span: Span,
    pub(crate) name: Option<Name>,
    pub(crate) krate: Option<Path>,
    pub(crate) job_type: Option<Ident>,
}

impl TaskAttr {
    pub(crate) fn read(span: Span, tokens: TokenStream, errors: &Errors) -> Self {
        let list = entry::entries(tokens, errors);
        bare_literals(&list.bare, errors, |text| format!("write `name = {text}`"));
        let mut given = KEYS.sort(list.keyed, errors);
        let name = given
            .take("name")
            .and_then(|(key, entry)| Name::read(key, &entry, errors));
        let krate = given
            .take("crate")
            .and_then(|(key, entry)| crate_path(key, &entry, errors));
        let job_type = given
            .take("job_type")
            .and_then(|(key, entry)| job_type::read(key, &entry, errors));
        Self {
            span,
            name,
            krate,
            job_type,
        }
    }
}
