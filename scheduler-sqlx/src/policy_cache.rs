//! Policies and task names that were read before: most jobs share a few of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use scheduler_core::Policies;

/// How many of each are kept; beyond it, all are forgotten and read anew.
const CAPACITY: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct PolicyCache {
    policies: Mutex<HashMap<Box<str>, Arc<Policies>>>,
    tasks: Mutex<HashSet<Arc<str>>>,
}

impl PolicyCache {
    pub(crate) fn read(&self, text: &str) -> Result<Arc<Policies>, serde_json::Error> {
        let mut cache = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
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
