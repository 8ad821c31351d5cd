//! `#[task]`.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path};

use super::entry::{self, Entry, Value};
use super::job::{bare_literals, crate_path};
use super::job_habits::HABITS;
use super::job_keys::{self, CRATE, JOB_TYPE, TRIGGERS};
use super::job_type;
use super::keys::{Key, Keys};
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
    habits: &[],
    triggers: &[],
    check: None,
};

/// The content of a `#[task]`.
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
        let mut given = KEYS.sort(of_a_task(list.keyed, errors), errors);
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

/// Reports entries that belong to a job, and leaves them out.
fn of_a_task(entries: Vec<Entry>, errors: &Errors) -> Vec<Entry> {
    let known =
        |name: &str, groups: &[&[Key]]| groups.iter().copied().flatten().any(|key| key.is(name));
    entries
        .into_iter()
        .filter(|entry| {
            let name = entry.name();
            if known(&name, KEYS.groups) {
                return true;
            }
            let is_trigger = known(&name, &[TRIGGERS, job_keys::TRIGGER_OPTIONS])
                || HABITS[0].has(entry);
            let message = if is_trigger && known(&name, job_keys::ALL) {
                let written = match &entry.value {
                    Value::Missing => name.clone(),
                    _ => entry.written(),
                };
                format!("`#[task]` has no key `{name}`; a trigger belongs to a job: use `#[scheduled_job({written})]`")
            } else if is_trigger {
                format!("`#[task]` has no key `{name}`; a trigger belongs to a job: use `#[scheduled_job(…)]`")
            } else if name == "args" {
                "`#[task]` has no key `args`; arguments belong to a job: give them to `job(…)`, or use `#[scheduled_job]`".to_owned()
            } else if known(&name, job_keys::ALL) {
                format!("`#[task]` has no key `{name}`, which belongs to a job: give it at run time, with `.{name}(…)`, or use `#[scheduled_job]`")
            } else {
                return true;
            };
            errors.at(entry.key.span(), message);
            false
        })
        .collect()
}
