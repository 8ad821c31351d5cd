//! Calls that a wrapper hands on to its `store`.

/// Writes the methods of these names, each of which calls the same method of `self.store`.
macro_rules! pass_on {
    ($($call:ident)*) => { $(pass_on! { @ $call })* };
    (@ is_persistent) => {
        fn is_persistent(&self) -> bool {
            self.store.is_persistent()
        }
    };
    (@ insert) => {
        fn insert(&self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> StoreFuture<'_, Inserted> {
            self.store.insert(jobs, now)
        }
    };
    (@ reconcile) => {
        fn reconcile(
            &self,
            jobs: Vec<StaticJob>,
            now: DateTime<Utc>,
        ) -> StoreFuture<'_, Vec<Reconciled>> {
            self.store.reconcile(jobs, now)
        }
    };
    (@ get) => {
        fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<JobRecord>> {
            self.store.get(id)
        }
    };
    (@ list) => {
        fn list<'a>(&'a self, query: &'a JobQuery) -> StoreFuture<'a, Vec<JobRecord>> {
            self.store.list(query)
        }
    };
    (@ edit) => {
        fn edit<'a>(
            &'a self,
            id: &'a str,
            edit: Edit<'a>,
            now: DateTime<Utc>,
        ) -> StoreFuture<'a, Option<Edited>> {
            self.store.edit(id, edit, now)
        }
    };
    (@ remove) => {
        fn remove<'a>(
            &'a self,
            id: &'a str,
            now: DateTime<Utc>,
        ) -> StoreFuture<'a, Option<Edited>> {
            self.store.remove(id, now)
        }
    };
    (@ claim) => {
        fn claim<'a>(&'a self, request: &'a ClaimRequest<'a>) -> StoreFuture<'a, Claim> {
            self.store.claim(request)
        }
    };
    (@ next_due) => {
        fn next_due<'a>(
            &'a self,
            request: &'a ClaimRequest<'a>,
        ) -> StoreFuture<'a, Option<DateTime<Utc>>> {
            self.store.next_due(request)
        }
    };
    (@ run_now) => {
        fn run_now<'a>(
            &'a self,
            request: &'a ManualRequest<'a>,
        ) -> StoreFuture<'a, Option<ManualRun>> {
            self.store.run_now(request)
        }
    };
    (@ cancel) => {
        fn cancel(&self, run: RunId, now: DateTime<Utc>) -> StoreFuture<'_, CancelAnswer> {
            self.store.cancel(run, now)
        }
    };
    (@ asked_to_stop) => {
        fn asked_to_stop(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
            self.store.asked_to_stop(node)
        }
    };
    (@ finish) => {
        fn finish(&self, node: NodeId, finished: Vec<Finished>) -> StoreFuture<'_, Vec<bool>> {
            self.store.finish(node, finished)
        }
    };
    (@ release) => {
        fn release(&self, node: NodeId, runs: Vec<RunId>) -> StoreFuture<'_, ()> {
            self.store.release(node, runs)
        }
    };
    (@ held) => {
        fn held(&self, node: NodeId) -> StoreFuture<'_, Vec<RunId>> {
            self.store.held(node)
        }
    };
    (@ mend) => {
        fn mend(&self, now: DateTime<Utc>) -> StoreFuture<'_, Mended> {
            self.store.mend(now)
        }
    };
    (@ runs) => {
        fn runs<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<Run>> {
            self.store.runs(filter)
        }
    };
    (@ run) => {
        fn run(&self, id: RunId) -> StoreFuture<'_, Option<Run>> {
            self.store.run(id)
        }
    };
    (@ dropped) => {
        fn dropped<'a>(
            &'a self,
            job: Option<&'a str>,
            limit: usize,
        ) -> StoreFuture<'a, Vec<Dropped>> {
            self.store.dropped(job, limit)
        }
    };
}

pub(crate) use pass_on;
