//! One allocation for all jobs with the same policies.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::Policies;
use crate::lock::lock;

/// Different policies that are remembered. Beyond it they are only not shared any more.
const CAPACITY: usize = 1_024;

/// Hands out one `Arc` for equal policies: a million jobs seldom have more than a few.
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
    fn equal_policies_are_one() {
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
