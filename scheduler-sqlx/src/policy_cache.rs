//! The text form of policies, and a cache of policies and task names: most jobs share a few of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};

use scheduler_core::__private::lock;
use scheduler_core::Policies;
use serde_json::{Map, Value};

/// How many of each are kept; beyond that, the cache is cleared.
const CAPACITY: usize = 1_024;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct PolicyCache {
    policies: Mutex<HashMap<Box<str>, Arc<Policies>>>,
    tasks: Mutex<HashSet<Arc<str>>>,
}

/// Returns policies as they are stored: only those that differ from the defaults, which halves most rows.
pub(crate) fn policies_text(policies: &Policies) -> String {
    static DEFAULTS: LazyLock<Map<String, Value>> = LazyLock::new(|| fields(&Policies::default()));
    let mut kept = fields(policies);
    kept.retain(|name, value| DEFAULTS.get(name) != Some(value));
    Value::Object(kept).to_string()
}

fn fields(policies: &Policies) -> Map<String, Value> {
    match serde_json::to_value(policies) {
        Ok(Value::Object(fields)) => fields,
        // Policies are numbers, names and durations, all of which JSON can represent.
        _ => Map::new(),
    }
}

impl PolicyCache {
    pub(crate) fn read(&self, text: &str) -> Result<Arc<Policies>, serde_json::Error> {
        let mut cache = lock(&self.policies);
        if let Some(policies) = cache.get(text) {
            return Ok(policies.clone());
        }
        let policies: Arc<Policies> = Arc::new(serde_json::from_str(text)?);
        if cache.len() >= CAPACITY {
            cache.clear();
        }
        cache.insert(text.into(), policies.clone());
        Ok(policies)
    }

    pub(crate) fn task(&self, name: &str) -> Arc<str> {
        let mut tasks = lock(&self.tasks);
        if let Some(task) = tasks.get(name) {
            return task.clone();
        }
        if tasks.len() >= CAPACITY {
            tasks.clear();
        }
        let task: Arc<str> = name.into();
        tasks.insert(task.clone());
        task
    }
}

#[cfg(test)]
mod tests {
    use scheduler_core::Overlap;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut policies = Policies::default();
        assert_eq!(policies_text(&policies), "{}");
        policies.overlap = Overlap::Queue(3);
        policies.retries = 2;
        let text = policies_text(&policies);
        assert_eq!(
            *PolicyCache::default().read(&text).unwrap(),
            policies,
            "{text}"
        );
    }
}
