//! A single allocation for all jobs with the same policies.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::Policies;
use crate::lock::lock;

/// The number of distinct policy sets that are remembered. Beyond it, policies are no longer shared.
const CAPACITY: usize = 1_024;

/// Returns the same `Arc` for equal policies: even a million jobs rarely have more than a few distinct sets.
#[derive(Debug, Default)]
pub(crate) struct SharedPolicies {
    known: Mutex<HashSet<Arc<Policies>>>,
}

impl SharedPolicies {
    pub(crate) fn share(&self, policies: Policies) -> Arc<Policies> {
        let mut known = lock(&self.known);
        if let Some(shared) = known.get(&policies) {
            return shared.clone();
        }
        let shared = Arc::new(policies);
        if known.len() < CAPACITY {
            known.insert(shared.clone());
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_policies_share_an_allocation() {
        let shared = SharedPolicies::default();
        let a = shared.share(Policies::default());
        let b = shared.share(Policies::default());
        let c = shared.share(Policies {
            retries: 1,
            ..Policies::default()
        });
        assert!(Arc::ptr_eq(&a, &b) && !Arc::ptr_eq(&a, &c));
    }
}
