//! The table of policies.

/// Calls `$callback!` with the definitions of all policies.
///
/// A definition is the signature of the builder's method, with the type of the value and its default;
/// the kind with the bounds; and texts. Types and values are resolved where the callback is defined.
/// The documentation is that of the method.
#[doc(hidden)]
#[macro_export]
macro_rules! policies {
    ($callback:ident) => {
        $callback! {
            /// Skips a fire time that cannot start within this time of its instant.
            ///
            /// Takes a [`Duration`], a text such as `"5m"`, or `None` (as text `"none"`), the default: it is run
            /// regardless of the delay. A fire time that is too late is recorded as `missed`. Retries are never too
            /// late.
            misfire_grace_time(grace: impl IntoPolicy<Option<Duration>>): Option<Duration> = None;
            kind: PolicyKind::Limit { pointless: "no run could start" };
            default: "none";
            samples: "5m", "30s", "1h";
            meaning: "A fire time that cannot start within this of its instant is not run.";

            /// Chooses which fire times are run if several are due at once.
            ///
            /// Takes a [`Coalesce`] or its text. Default: [`Coalesce::Latest`]. The others are recorded as
            /// `coalesced` or `catch_up_limit`.
            coalesce(coalesce: impl IntoPolicy<Coalesce>): Coalesce = Coalesce::Latest;
            kind: PolicyKind::Coalesce;
            default: "latest";
            samples: "latest", "earliest", "all", "all(20)";
            meaning: "Which of several fire times that are due at once are run; `all` is `all(100)`.";

            /// Limits how many runs of the job are live at once, across all nodes of its store.
            ///
            /// Default: 1. A run holds its slot from its claim to its final outcome, back-off included, and a sync task
            /// until its thread has returned. 0 is rejected: pause the job instead.
            max_instances(count: u32): u32 = 1;
            kind: PolicyKind::Count(CountBounds {
                below: "the job could never run",
                instead_in_attribute: "`paused = true`",
                instead: "pause the job",
                ..CountBounds::of(1, u32::MAX)
            });
            default: 1;
            samples: 1;
            meaning: "How many runs of the job go on at once, over all nodes.";

            /// Chooses what happens to a fire time when the job is at its `max_instances`.
            ///
            /// Takes an [`Overlap`] or its text. Default: [`Overlap::Skip`].
            overlap(overlap: impl IntoPolicy<Overlap>): Overlap = Overlap::Skip;
            kind: PolicyKind::Overlap;
            default: "skip";
            samples: "skip", "queue", "queue(5)", "cancel_running";
            meaning: "What happens to a fire time at that limit; `queue` is `queue(1)`.";

            /// Limits how long one attempt may take.
            ///
            /// Takes a [`Duration`], a text such as `"10m"`, or `None` (as text `"none"`), the default: no
            /// limit. An async task is dropped at its next await; a sync task sees
            /// [`is_cancelled`](crate::JobContext::is_cancelled) and keeps its slot until it has returned.
            timeout(timeout: impl IntoPolicy<Option<Duration>>): Option<Duration> = None;
            kind: PolicyKind::Limit { pointless: "no attempt could end" };
            default: "none";
            samples: "10m", "30s", "1h";
            meaning: "How long one attempt may take; an async one is dropped then, a sync one sees `ctx.is_cancelled()`.";

            /// Retries attempts that failed, panicked or timed out, at most this many times.
            ///
            /// Default: 0.
            retries(count: u32): u32 = 0;
            kind: PolicyKind::Count(CountBounds::ANY);
            default: 0;
            samples: 3;
            meaning: "How many failed, panicked or timed-out attempts are tried again.";

            /// Sets how long a failed run waits before its next attempt.
            ///
            /// Takes a [`Backoff`] or its text, such as `"5s..10m"`. Default: `1s..1m`, doubling.
            backoff(backoff: impl IntoPolicy<Backoff>): Backoff
                = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60));
            kind: PolicyKind::Backoff;
            default: "1s..1m";
            samples: "1s..1m", "10s";
            meaning: "How long a failed run waits before its next attempt: doubling from the first to the second.";

            /// Delays each fire time by up to this much; the delay of a given fire time is always the same.
            ///
            /// Takes a [`Duration`] or a text such as `"30s"`. Default: 0. A delay never reaches past the
            /// next fire time, and `scheduled_for` stays the nominal instant.
            jitter(jitter: impl IntoPolicy<Duration>): Duration = Duration::ZERO;
            kind: PolicyKind::Duration;
            default: "0s";
            samples: "30s", "10s", "1m";
            meaning: "By how much a fire time may be delayed to spread load, computed from id and fire time; `scheduled_for` stays.";

            /// Records a run that was lost with its node as lost, instead of retrying it.
            ///
            /// Default: false. Contradicts `retries`: the combination is rejected.
            at_most_once(at_most_once: bool): bool = false;
            kind: PolicyKind::Flag;
            default: false;
            samples: true;
            excludes: retries, "a job that runs at most once cannot be tried again: leave out `retries` or `at_most_once`";
            meaning: "A run that was lost with its node is not tried again.";

            /// Names the executor.
            ///
            /// Default: `"default"`, which for a sync task means `"sync"`.
            executor(name: impl IntoPolicy<Cow<'static, str>>): Cow<'static, str> = Cow::Borrowed("default");
            kind: PolicyKind::Name;
            default: "default";
            samples: "default";
            meaning: "The executor's name; sync tasks of the default one use `sync`.";

            /// Names the store. A job cannot move to another one.
            ///
            /// Default: `"default"`.
            store(name: impl IntoPolicy<Cow<'static, str>>): Cow<'static, str> = Cow::Borrowed("default");
            kind: PolicyKind::Name;
            default: "default";
            samples: "default";
            meaning: "The store's name; a job cannot move to another one.";

            /// Runs the job an extra time whenever the process starts, and when the job is added.
            ///
            /// Default: false.
            run_on_start(run: bool): bool = false;
            kind: PolicyKind::Flag;
            default: false;
            samples: true;
            meaning: "One extra run when the process starts, and when the job is added.";
        }
    };
}
