//! Policies, as the core writes and reads them.

use scheduler_core::PolicyPatch;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::object::{Object, Part, kind, unknown};

/// All policies of a job, every one decided. The shape of `Policies` of the core, which writes it.
#[derive(ToSchema)]
#[schema(as = Policies)]
#[allow(dead_code)] // describes what another type writes
pub(crate) struct PoliciesShape {
    /// A duration such as `5m`, or `none`: a fire time that cannot start within this is not run.
    misfire_grace_time: String,
    /// `latest`, `earliest` or `all(n)`: which of several fire times due at once are run.
    coalesce: String,
    /// How many runs of the job go on at once, over all nodes.
    max_instances: u32,
    /// `skip`, `queue(n)` or `cancel_running`: what happens at that limit.
    overlap: String,
    /// A duration, or `none`: how long one attempt may take.
    timeout: String,
    /// How many failed attempts are tried again.
    retries: u32,
    /// Such as `1s..1m`: how long to wait before that.
    backoff: String,
    /// A duration: how far a fire time may be delayed to spread load.
    jitter: String,
    /// Whether a run lost with its node stays lost.
    at_most_once: bool,
    /// The name of the executor.
    executor: String,
    /// The name of the store.
    store: String,
    /// Whether there is one extra run when the service starts, and when the job is added.
    run_on_start: bool,
}

/// Some policies; what is left out stays as it is.
#[derive(ToSchema)]
#[schema(as = PolicyPatch)]
#[allow(dead_code)] // describes what another type reads
pub(crate) struct PolicyPatchShape {
    /// A duration such as `5m`, or `none`.
    #[schema(example = "5m")]
    misfire_grace_time: Option<String>,
    /// `latest`, `earliest`, `all` or `all(n)` with n from 1 to 10000.
    #[schema(example = "latest")]
    coalesce: Option<String>,
    /// From 1.
    #[schema(minimum = 1, maximum = 4_294_967_295_i64, example = 1)]
    max_instances: Option<u32>,
    /// `skip`, `queue`, `queue(n)` or `cancel_running`.
    #[schema(example = "skip")]
    overlap: Option<String>,
    /// A duration, or `none`.
    #[schema(example = "10m")]
    timeout: Option<String>,
    /// From 0; contradicts `at_most_once`.
    #[schema(minimum = 0, maximum = 4_294_967_295_i64, example = 3)]
    retries: Option<u32>,
    /// Such as `1s..1m`, or one duration.
    #[schema(example = "1s..1m")]
    backoff: Option<String>,
    /// A duration.
    #[schema(example = "30s")]
    jitter: Option<String>,
    /// Contradicts `retries`.
    #[schema(example = false)]
    at_most_once: Option<bool>,
    /// The name of an executor of the service.
    #[schema(min_length = 1, max_length = 255, example = "default")]
    executor: Option<String>,
    /// The name of a store of the service; a job cannot move to another one.
    #[schema(min_length = 1, max_length = 255, example = "default")]
    store: Option<String>,
    /// Whether there is one extra run when the service starts, and when the job is added.
    #[schema(example = false)]
    run_on_start: Option<bool>,
}

const NAMES: [&str; 12] = [
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "overlap",
    "timeout",
    "retries",
    "backoff",
    "jitter",
    "at_most_once",
    "executor",
    "store",
    "run_on_start",
];

/// Takes `policies` out of a body. Each is read by itself, so that each mistake has its name.
pub(crate) fn take(body: &mut Object) -> Option<PolicyPatch> {
    let given = match body.take("policies")? {
        Value::Object(given) => given,
        other => {
            let message = format!("it has to be an object, not {}", kind(&other));
            body.wrong("policies", message);
            return None;
        }
    };
    let mut patch = PolicyPatch::new();
    for (name, value) in given {
        if !NAMES.contains(&name.as_str()) {
            let message = unknown(Part::Policy, &name, &NAMES);
            body.wrong(format!("policies.{name}"), message);
            continue;
        }
        if value.is_null() {
            continue;
        }
        let one = Map::from_iter([(name.clone(), value)]);
        match serde_json::from_value::<PolicyPatch>(Value::Object(one)) {
            Ok(one) => patch = patch.then(one),
            Err(error) => body.wrong(format!("policies.{name}"), error.to_string()),
        }
    }
    Some(patch)
}

#[cfg(test)]
mod tests {
    use scheduler_core::Policies;

    use super::*;

    #[test]
    fn the_names_are_those_of_the_core() {
        let Ok(Value::Object(written)) = serde_json::to_value(Policies::default()) else {
            panic!("policies are an object");
        };
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(written.keys().collect::<Vec<_>>(), names);
    }
}
