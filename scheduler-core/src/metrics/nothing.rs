//! The no-op versions used without the feature.

use std::sync::Arc;
use std::time::Duration;

use crate::run::RunState;
use crate::skipped::SkipReason;
use crate::store::Store;

pub(crate) fn run_ended(_: &Arc<str>, _: RunState, _: Duration) {}

pub(crate) fn run_lost() {}

pub(crate) fn run_started(_: &Arc<str>, _: Duration) {}

pub(crate) fn skipped(_: SkipReason, _: u64) {}

pub(crate) fn runs_live<'a>(_: impl Iterator<Item = (&'a Arc<str>, usize)>) {}

pub(crate) fn queue_depth(_: &Arc<str>, _: usize) {}

pub(crate) fn lease_age(_: &Arc<str>, _: Option<Duration>) {}

pub(crate) fn measured(_: &Arc<str>, store: Arc<dyn Store>) -> Arc<dyn Store> {
    store
}
