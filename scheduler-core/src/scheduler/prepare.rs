//! Checking a job before it is stored: identical for jobs defined in code and jobs added at run time.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Trigger, Zone};

use crate::effort::FIRE_TIME;
use crate::engine::registry::Registry;
use crate::error::{Error, NameKind};
use crate::executor::SYNC_NAME;
use crate::id::{JobId, check_name};
use crate::job_record::JobRecord;
use crate::named::Named;
use crate::panic::catch_argument;
use crate::policy::{DEFAULT_NAME, Policies, PolicyPatch};
use crate::task::arguments::{Arguments, MAX_ARGUMENTS_BYTES};
use crate::task::definition::{ParameterRole, TaskDefinition};

/// The rules by which a job is checked.
pub(super) struct Rules<'a> {
    pub(super) registry: &'a Registry,
    pub(super) zone: Zone,
    pub(super) defaults: &'a Policies,
    pub(super) stores: &'a Named<StoreRules>,
    /// `None` on a client, which does not know the executors of the nodes.
    pub(super) executors: Option<&'a [Arc<str>]>,
}

/// What the checks need to know about a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRules {
    /// If `true`, it outlives the process.
    pub(super) is_persistent: bool,
    /// The current time, in the time of the store.
    pub(super) now: DateTime<Utc>,
}

/// A job that has passed all checks.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: JobId,
    pub(super) task: &'static TaskDefinition,
    pub(super) policies: Policies,
}

impl Rules<'_> {
    /// Returns the current time of this store, or of the first one if there is none with this name.
    pub(super) fn now(&self, store: &str) -> DateTime<Utc> {
        let first = self.stores.values().next();
        let named = (self.stores.len() > 1).then(|| self.stores.get(store));
        let store = named.flatten().or(first);
        store.map_or(DateTime::UNIX_EPOCH, |store| store.now)
    }

    /// Checks a job from its parts.
    pub(super) fn prepare(
        &self,
        id: &str,
        task: &str,
        arguments: &Arguments,
        trigger: &Trigger,
        policies: &[&PolicyPatch],
    ) -> Result<Prepared, Error> {
        let job_id = JobId::new(id)?;
        let task = self.task(id, task)?;
        self.check_arguments(id, task, arguments)?;
        let policies = self.policies(id, task, self.defaults, policies)?;
        self.trigger(id, trigger, &policies.store, &mut Effort::steps(FIRE_TIME))?;
        Ok(Prepared {
            id: job_id,
            task,
            policies,
        })
    }

    /// Refuses arguments that the task could not read, that it does not have, or that are too long or nested too
    /// deeply.
    pub(super) fn check_arguments(
        &self,
        id: &str,
        task: &TaskDefinition,
        arguments: &Arguments,
    ) -> Result<(), Error> {
        let refuse = |argument: Option<&str>, problem: String| {
            Err(Error::Arguments {
                job: id.to_owned(),
                argument: argument.map(str::to_owned),
                problem,
            })
        };
        let is_client = self.executors.is_none();
        // Most jobs have no arguments.
        if !arguments.is_empty()
            && let Some((name, problem)) = size_problem(arguments)
        {
            return refuse(name, problem);
        }
        // A misspelled argument is also a missing one, but the spelling is what has to be corrected.
        if let Some((name, problem)) = unknown_argument(task, arguments) {
            return refuse(Some(name), problem);
        }
        for parameter in task.parameters {
            // Absent arguments are checked as well, because creating their default may fail. Not on a client, which
            // may lack what the default is created from.
            if let ParameterRole::Argument {
                required,
                check,
                secret,
            } = parameter.role
                && (required || !is_client || arguments.get(parameter.name).is_some())
                && let Err(problem) =
                    catch_argument(parameter.name, secret, || check.check(arguments))
            {
                return refuse(
                    Some(parameter.name),
                    format!("task `{}`: {problem}", task.name),
                );
            }
        }
        Ok(())
    }

    pub(super) fn task(&self, id: &str, name: &str) -> Result<&'static TaskDefinition, Error> {
        self.registry.task(name).ok_or_else(|| Error::UnknownTask {
            job: id.to_owned(),
            task: name.to_owned(),
            suggestion: self.registry.nearest_task(name),
        })
    }

    /// Returns the task of a stored job if this program can carry it out and has the values that the task needs.
    pub(super) fn runnable(
        &self,
        id: &str,
        job: &JobRecord,
    ) -> Result<&'static TaskDefinition, Error> {
        let task = self.task(id, &job.task)?;
        self.executor(id, &job.policies.executor)?;
        Ok(task)
    }

    fn executor(&self, id: &str, name: &str) -> Result<(), Error> {
        match self.executors {
            Some(executors) => known(id, "executor", name, executors.iter()),
            None => Ok(()),
        }
    }

    /// Applies policies on top of `base`, the later ones on top of the earlier ones.
    pub(super) fn policies(
        &self,
        id: &str,
        task: &TaskDefinition,
        base: &Policies,
        patches: &[&PolicyPatch],
    ) -> Result<Policies, Error> {
        let mut policies = base.clone();
        for patch in patches {
            policies = patch.over(&policies).map_err(|source| Error::Policy {
                job: id.to_owned(),
                source,
            })?;
        }
        if task.is_sync && policies.executor == DEFAULT_NAME {
            policies.executor = Cow::Borrowed(SYNC_NAME);
        }
        check_name(NameKind::Executor, &policies.executor)?;
        self.executor(id, &policies.executor)?;
        known(id, "store", &policies.store, self.stores.names())?;
        Ok(policies)
    }

    /// Completes the trigger, and refuses one that has no future fire times.
    pub(super) fn trigger(
        &self,
        id: &str,
        trigger: &Trigger,
        store: &str,
        effort: &mut Effort,
    ) -> Result<Trigger, Error> {
        let trigger = self.resolved(id, trigger.clone(), (store, self.now(store)))?;
        let before_now = self.now(store) - chrono::TimeDelta::microseconds(1);
        match effort.at_most(FIRE_TIME, |effort| trigger.next_within(before_now, effort)) {
            Ok(Some(_)) => Ok(trigger),
            Ok(None) => Err(self.never_fires(id, &trigger, store)),
            Err(cut_off) => Err(Error::costly(id, &trigger, cut_off)),
        }
    }

    /// Does the same without checking that it fires.
    pub(super) fn resolved(
        &self,
        id: &str,
        trigger: Trigger,
        (store, now): (&str, DateTime<Utc>),
    ) -> Result<Trigger, Error> {
        if trigger.is_custom()
            && self
                .stores
                .get(store)
                .is_some_and(|store| store.is_persistent)
        {
            return Err(Error::CustomTrigger {
                job: id.to_owned(),
                store: store.to_owned(),
            });
        }
        let resolved = trigger.into_resolved(now, self.zone);
        resolved.map_err(|source| Error::Trigger {
            job: id.to_owned(),
            source,
        })
    }

    pub(super) fn never_fires(&self, id: &str, trigger: &Trigger, store: &str) -> Error {
        Error::NeverFires {
            job: id.to_owned(),
            trigger: trigger.to_string(),
            after: self.now(store),
        }
    }
}

/// Refuses a name that the builder was not given.
fn known<'a>(
    id: &str,
    what: &'static str,
    name: &str,
    mut known: impl Iterator<Item = &'a Arc<str>> + Clone,
) -> Result<(), Error> {
    if known.clone().any(|known| **known == *name) {
        return Ok(());
    }
    let first = known
        .next()
        .map(|name| format!("`{name}`"))
        .unwrap_or_default();
    Err(Error::UnknownPart {
        job: id.to_owned(),
        what,
        name: name.to_owned(),
        known: known.fold(first, |list, name| format!("{list}, `{name}`")),
    })
}

/// Finds arguments that are too long or nested too deeply to be stored. Returns which one, and what is wrong.
fn size_problem(arguments: &Arguments) -> Option<(Option<&str>, String)> {
    if let Some((name, problem)) = arguments.too_deep() {
        return Some((Some(name), format!("argument `{name}`: {problem}")));
    }
    let length = arguments.json_len();
    let problem = || {
        format!(
            "its arguments have {length} bytes of JSON, over the limit of {MAX_ARGUMENTS_BYTES}: pass a key, and read the rest in the task"
        )
    };
    (length > MAX_ARGUMENTS_BYTES).then(|| (None, problem()))
}

/// Returns the first argument that the task does not have, and what is wrong with it.
fn unknown_argument<'a>(
    task: &TaskDefinition,
    arguments: &'a Arguments,
) -> Option<(&'a str, String)> {
    let names: Vec<&str> = task
        .parameters
        .iter()
        .filter(|parameter| matches!(parameter.role, ParameterRole::Argument { .. }))
        .map(|parameter| parameter.name)
        .collect();
    let (name, _) = arguments.iter().find(|(name, _)| !names.contains(name))?;
    let takes = match names.as_slice() {
        [] => "it takes no arguments".to_owned(),
        names => format!("it takes `{}`", names.join("`, `")),
    };
    let nearest = scheduler_triggers::nearest(name, names.iter().copied())
        .map(|nearest| format!(": did you mean `{nearest}`?"))
        .unwrap_or_default();
    let problem = format!(
        "task `{}` has no argument `{name}`{nearest} ({takes})",
        task.name
    );
    Some((name, problem))
}
