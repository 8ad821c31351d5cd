//! The public builder.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use scheduler_core::Scheduler;

use crate::access::Access;
use crate::state::Web;

/// Returns a router with the defaults of [`WebApi`]: no task may be created through it.
///
/// ```
/// use scheduler_axum::Access;
/// use scheduler_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let access = Access::bearer("a-long-and-random-text")?;
/// let app: axum::Router =
///     axum::Router::new().nest_service("/scheduler", scheduler_axum::router(&scheduler, access));
/// # Ok(())
/// # }
/// ```
pub fn router(scheduler: &Scheduler, access: Access) -> Router {
    WebApi::new(scheduler, access).router()
}

/// Configures the HTTP API and the page of a scheduler; [`router`](Self::router) builds them.
///
/// ```
/// use scheduler_axum::{Access, WebApi};
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn web_api_reminder(user_id: i64) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// let access = Access::bearer("a-long-and-random-text")?.and_read_only("another-random-text")?;
/// let router = WebApi::new(&scheduler, access)
///     .allow_tasks(["web_api_reminder"])
///     .title("Shop")
///     .body_limit(64 * 1024)
///     .router();
/// # let _ = router;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "`.router()` makes the router"]
pub struct WebApi {
    scheduler: Scheduler,
    access: Access,
    creatable: BTreeSet<String>,
    title: String,
    body_limit: usize,
    body_timeout: Duration,
}

/// The default limit of a body: the 256 KiB that arguments may have.
const BODY_LIMIT: usize = 256 * 1024;

/// The default time limit of a body: enough for the longest one at 70 kbit/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

impl WebApi {
    /// Creates the configuration for a scheduler, with access control.
    pub fn new(scheduler: &Scheduler, access: Access) -> Self {
        Self {
            scheduler: scheduler.clone(),
            access,
            creatable: BTreeSet::new(),
            title: "Scheduler".to_owned(),
            body_limit: BODY_LIMIT,
            body_timeout: BODY_TIMEOUT,
        }
    }

    /// Adds tasks for which jobs may be created over HTTP (default: none).
    ///
    /// Existing jobs can be changed, paused, run and removed regardless of their task.
    pub fn allow_tasks(mut self, tasks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.creatable.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// Sets the title of the page (default: `Scheduler`).
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Limits the bodies of requests, in bytes (default: 256 KiB, which is also the limit for the arguments of a job).
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Limits how long the body of a request may take to arrive (default: 30 seconds). After that the answer is 408 and
    /// the connection is closed, so slow bodies do not tie up connections.
    ///
    /// The head of a request is read before any router is involved, so the server has to limit its time. `axum::serve`
    /// does not; the example `web_app` shows a server that does.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_axum::{Access, WebApi};
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let web = WebApi::new(&scheduler, Access::bearer("a-long-and-random-text")?);
    /// let router = web.body_timeout(Duration::from_secs(5)).router();
    /// # let _ = router;
    /// # Ok(())
    /// # }
    /// ```
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self
    }

    /// Builds the router: nest it under any path, or merge it at the root.
    ///
    /// With [`Router::nest_service`] the page is at `/scheduler/`. [`Router::nest`] works as well, but has no route for
    /// a path that ends in a slash: the page is then at `/scheduler/index.html`, to which `/scheduler` redirects in
    /// both cases.
    ///
    /// The router has its own fallback. If it is merged into a router with another fallback, choose one of them with
    /// [`Router::reset_fallback`].
    ///
    /// ```
    /// use axum::Router;
    /// use scheduler_axum::{Access, WebApi};
    /// use scheduler_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let web = WebApi::new(&scheduler, Access::bearer("a-long-and-random-text")?);
    /// let below_a_path: Router = Router::new().nest_service("/admin/scheduler", web.clone().router());
    /// let at_the_root: Router = Router::new()
    ///     .fallback(|| async { "nothing here" })
    ///     .merge(web.router().reset_fallback());
    /// # Ok(())
    /// # }
    /// ```
    pub fn router(self) -> Router {
        if self.access.is_open() {
            tracing::warn!(
                "the scheduler's API is open: everybody who reaches it can do everything; \
                 use `Access::bearer` or `Access::check` outside of development"
            );
        }
        for task in &self.creatable {
            if self
                .scheduler
                .tasks()
                .iter()
                .all(|known| known.name != task)
            {
                tracing::warn!(task, "a task that may be created is not in this program");
            }
        }
        let web = Web {
            scheduler: self.scheduler,
            access: self.access,
            creatable: self.creatable,
            title: self.title,
            body_timeout: self.body_timeout,
            body_limit: self.body_limit,
        };
        crate::router::router(web)
    }
}
