//! Compares `args(…)` with the parameters: none may be missing, superfluous or misspelt.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::attr::JobAttr;
use crate::errors::Errors;
use crate::item::{Parameter, type_text};
use crate::suggest;

pub(super) fn check(job: &JobAttr, parameters: &[Parameter], errors: &Errors) {
    let known: Vec<(String, &Parameter)> = parameters
        .iter()
        .filter_map(|parameter| Some((parameter.name.as_ref()?.unraw().to_string(), parameter)))
        .collect();
    let before = errors.count();
    for (name, _) in job.args.iter().flat_map(|args| &args.values) {
        // It may be the name of a parameter whose own name was reported as missing.
        let is_known = known
            .iter()
            .any(|(known, _)| name.unraw() == known.as_str());
        if is_known
            || parameters
                .iter()
                .all(|one| !one.is_wrong || one.name.is_some())
        {
            unknown(name, &known, errors);
        }
    }
    // A misspelt name is also a missing one, but is reported only once.
    let lost = job.args.as_ref().map_or(job.lost, |args| args.lost);
    if errors.count() > before || lost {
        return;
    }
    let missing: Vec<(&str, &Parameter)> = known
        .iter()
        .filter(|(_, parameter)| {
            parameter.is_argument() && !parameter.is_optional() && !parameter.is_wrong
        })
        .filter(|(name, _)| !given(job, name))
        .map(|(name, parameter)| (name.as_str(), *parameter))
        .collect();
    if let Some(args) = &job.args {
        for (name, _) in missing {
            errors.at(
                args.span,
                format!("the argument `{name}` is missing: add `{name} = …` to `args(…)`"),
            );
        }
        return;
    }
    let line: Vec<String> = missing
        .iter()
        .map(|(name, _)| format!("{name} = …"))
        .collect();
    for (name, parameter) in missing {
        let ty = type_text(&parameter.ty);
        if ty.ends_with("Ctx") || ty.ends_with("Context") {
            errors.on(
                &parameter.ty,
                format!("`{ty}` is not a name that is injected: the context of a run is a `JobContext`, and another type that implements `FromContext`, or an alias, is marked `#[inject]`"),
            );
            continue;
        }
        errors.on(
            &parameter.name,
            format!(
                "missing argument `{name}`: add `args({})` to `#[scheduled_job]`\na value of the application is injected as `Data<{ty}>`, a type that implements `FromContext` is marked `#[inject]`, and an argument that may be left out `#[arg(default)]`",
                line.join(", ")
            ),
        );
    }
}

fn given(job: &JobAttr, name: &str) -> bool {
    job.args
        .iter()
        .flat_map(|args| &args.values)
        .any(|(given, _)| given.unraw() == name)
}

fn unknown(name: &Ident, known: &[(String, &Parameter)], errors: &Errors) {
    let text = name.unraw().to_string();
    match known.iter().find(|(other, _)| *other == text) {
        Some((_, parameter)) if parameter.is_argument() => {}
        Some(_) => errors.on(
            name,
            format!(
                "`{text}` is injected by the scheduler, so `args(…)` gives it no value: remove it"
            ),
        ),
        None => {
            let names = || {
                known
                    .iter()
                    .filter(|(_, p)| p.is_argument())
                    .map(|(name, _)| name.as_str())
            };
            let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            let takes = match suggest::nearest(&text, names()) {
                Some(near) => suggest::did_you_mean(near),
                None if all.is_empty() => "; it takes no arguments".to_owned(),
                None => format!("; its arguments are {}", all.join(", ")),
            };
            errors.on(
                name,
                format!("the function has no argument `{text}`{takes}"),
            );
        }
    }
}
