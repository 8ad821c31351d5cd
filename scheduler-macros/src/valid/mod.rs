//! Rules that concern the whole item: the function with all of its attributes.

mod arguments;
pub(crate) mod signature;

use syn::ext::IdentExt;
use syn::{FnArg, Ident, LitStr, Path};

use crate::attr::{JobAttr, Name, TaskAttr};
use crate::errors::Errors;
use crate::item::{Function, Parameter};

/// All attributes of one function.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) jobs: Vec<JobAttr>,
    pub(crate) tasks: Vec<TaskAttr>,
}

/// A checked task with its jobs, ready to be expanded.
pub(crate) struct Definition {
    /// The task's stable name.
    pub(crate) name: Name,
    /// The path of the scheduler's crate, if given.
    pub(crate) krate: Option<Path>,
    /// The name of the type with `job`, unless it is the function's.
    pub(crate) job_type: Option<Ident>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) jobs: Vec<JobAttr>,
}

impl Definition {
    /// Checks everything, and removes our attributes from the parameters.
    pub(crate) fn check(function: &mut Function, attributes: Attributes, errors: &Errors) -> Self {
        signature::check(function, errors);
        let parameters: Vec<Parameter> = function
            .sig
            .inputs
            .iter_mut()
            .filter_map(|input| match input {
                FnArg::Typed(input) => Some(Parameter::take(input, errors)),
                FnArg::Receiver(_) => None,
            })
            .collect();
        let Attributes { jobs, tasks } = attributes;
        one_registration(&jobs, &tasks, errors);
        let own_name = function.sig.ident.unraw().to_string();
        let name = same_name(&jobs, &tasks, errors)
            .unwrap_or_else(|| Name::Text(LitStr::new(&own_name, function.sig.ident.span())));
        distinct_ids(&own_name, &name, &jobs, errors);
        let job_type = same_job_type(&jobs, &tasks, errors);
        for job in &jobs {
            arguments::check(job, &parameters, errors);
        }
        let krate = jobs
            .iter()
            .filter_map(|job| job.krate.clone())
            .chain(tasks.into_iter().filter_map(|task| task.krate))
            .next();
        Self {
            name,
            krate,
            job_type,
            parameters,
            jobs,
        }
    }
}

/// Checks that a function is registered either by one `#[task]` or by its `#[scheduled_job]`s.
fn one_registration(jobs: &[JobAttr], tasks: &[TaskAttr], errors: &Errors) {
    let mut tasks = tasks.iter();
    if jobs.is_empty() {
        tasks.next();
        for second in tasks {
            errors.at(second.span, "`#[task]` is given twice: remove one");
        }
    } else {
        for task in tasks {
            errors.at(
                task.span,
                "`#[scheduled_job]` makes the function a task already: remove `#[task]`, and give a `name` in `#[scheduled_job]`",
            );
        }
    }
}

/// Returns the single name that the attributes give the task.
fn same_name(jobs: &[JobAttr], tasks: &[TaskAttr], errors: &Errors) -> Option<Name> {
    let mut names = jobs
        .iter()
        .map(|job| &job.name)
        .chain(tasks.iter().map(|task| &task.name))
        .filter_map(Option::as_ref);
    let first = names.next()?;
    for other in names.filter(|other| other.written() != first.written()) {
        errors.on(
            other,
            format!(
                "a function is one task, and is named {} already: give `name` once",
                first.written()
            ),
        );
    }
    Some(first.clone())
}

/// Returns the single `job_type` of the attributes.
fn same_job_type(jobs: &[JobAttr], tasks: &[TaskAttr], errors: &Errors) -> Option<Ident> {
    let mut names = jobs
        .iter()
        .map(|job| &job.job_type)
        .chain(tasks.iter().map(|task| &task.job_type))
        .filter_map(Option::as_ref);
    let first = names.next()?;
    for other in names.filter(|other| *other != first) {
        errors.on(
            other,
            format!("a function has one `job_type`, which is `{first}` already: give it once"),
        );
    }
    Some(first.clone())
}

/// Checks that several jobs of one function have different ids.
fn distinct_ids(own_name: &str, name: &Name, jobs: &[JobAttr], errors: &Errors) {
    let name = match name {
        Name::Text(text) => text.value(),
        Name::Constant(_) => own_name.to_owned(),
    };
    let mut seen: Vec<String> = Vec::new();
    let several = jobs.len() > 1;
    for (index, job) in jobs.iter().enumerate() {
        let Some(id) = &job.id else {
            if several {
                errors.at(
                    job.span,
                    format!(
                        "a function with several jobs gives each an id: add `id = \"{name}_{}\"`",
                        index + 1
                    ),
                );
            }
            continue;
        };
        let written = id.written();
        if seen.contains(&written) {
            errors.on(
                id,
                format!(
                    "the id {written} is given to an earlier job of this function: choose another"
                ),
            );
        }
        seen.push(written);
    }
}
