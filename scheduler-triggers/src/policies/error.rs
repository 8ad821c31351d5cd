//! Why a policy's value was rejected.

use std::fmt;

/// A policy's value that is rejected. Its text names the policy, the value and the remedy.
///
/// ```
/// use scheduler_triggers::policies::Coalesce;
///
/// let error = "all(0)".parse::<Coalesce>().unwrap_err();
/// assert_eq!(error.policy(), "coalesce");
/// assert!(error.to_string().contains("with n from 1 to 10000"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    policy: &'static str,
    value: String,
    problem: String,
}

impl PolicyError {
    /// Creates an error from the policy's name, its value, and the problem.
    #[cold]
    pub fn new(policy: &'static str, value: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            policy,
            value: value.into(),
            problem: problem.into(),
        }
    }

    /// Returns the name of the policy, as written in attributes and JSON.
    pub fn policy(&self) -> &'static str {
        self.policy
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, value, problem) = (self.policy, &self.value, &self.problem);
        write!(f, "`{policy}`: cannot take `{value}`: {problem}")
    }
}

impl std::error::Error for PolicyError {}
