//! The router, and what it is made of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use scheduler_core::Scheduler;

use crate::access::{Access, Role};
use crate::problem::{Problem, no_method, no_route};
use crate::{api, cross_site, page};

/// Makes the router with the defaults of [`WebApi`]: no task may be created over it.
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

/// Sets up the HTTP API and the page of a scheduler; [`router`](Self::router) makes them.
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
}

/// Longest body unless told otherwise: what arguments may have, which is 256 KiB.
const BODY_LIMIT: usize = 256 * 1024;

/// How long a request waits for its turn to search for fire times. A search takes a tenth of a second at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// What every handler needs.
pub(crate) struct Web {
    pub(crate) scheduler: Scheduler,
    pub(crate) access: Access,
    /// The tasks of which jobs may be created.
    pub(crate) creatable: BTreeSet<String>,
    pub(crate) title: String,
}

pub(crate) type Shared = State<Arc<Web>>;

impl WebApi {
    /// Starts with nothing but a scheduler and who may use it.
    pub fn new(scheduler: &Scheduler, access: Access) -> Self {
        Self {
            scheduler: scheduler.clone(),
            access,
            creatable: BTreeSet::new(),
            title: "Scheduler".to_owned(),
            body_limit: BODY_LIMIT,
        }
    }

    /// Names tasks of which jobs may be created over HTTP; a second call names more. Default: none.
    ///
    /// What is there can be changed, paused, run and removed whatever its task.
    pub fn allow_tasks(mut self, tasks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.creatable.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// Sets the title of the page. Default: `Scheduler`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Limits the bodies of requests, in bytes. Default: 256 KiB, which is also what the arguments of
    /// a job may have.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Makes the router: nest it under any path, or merge it at the root.
    ///
    /// With [`Router::nest_service`] the page is at `/scheduler/`. [`Router::nest`] works as well, but
    /// has no route for a path that ends in a slash: the page is then at `/scheduler/index.html`, where
    /// `/scheduler` leads to either way.
    ///
    /// It has a fallback of its own. Where the application has one too, and the two are merged, say
    /// which one counts with [`Router::reset_fallback`].
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
        let web = Arc::new(Web {
            scheduler: self.scheduler,
            access: self.access,
            creatable: self.creatable,
            title: self.title,
        });
        let guarded = |routes: Router<Arc<Web>>, role: Role| {
            routes.route_layer(from_fn_with_state((web.clone(), role), guard))
        };
        Router::new()
            .merge(open_routes())
            .merge(guarded(reading_routes(), Role::Read))
            .merge(guarded(changing_routes(), Role::Full))
            .method_not_allowed_fallback(no_method)
            .fallback(no_route)
            .layer(DefaultBodyLimit::max(self.body_limit))
            .layer(from_fn(headers))
            .with_state(web)
    }
}

/// Routes without access: they tell nothing of what is in the scheduler.
fn open_routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/", get(page::index))
        .route("/index.html", get(page::index_file))
        .route("/assets/{file}", get(page::asset))
        .route("/api/openapi.json", get(api::openapi::document))
        .route("/api/health/live", get(api::health::live))
        .route("/api/health/ready", get(api::health::ready))
}

/// Routes that change nothing.
fn reading_routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/api/session", get(api::session::show))
        .route("/api/jobs", get(api::jobs::list))
        .route("/api/jobs/{id}", get(api::jobs::show))
        .route("/api/jobs/{id}/runs", get(api::runs::list_of_job))
        .route("/api/runs", get(api::runs::list))
        .route("/api/runs/{id}", get(api::runs::show))
        .route("/api/upcoming", get(api::upcoming::list))
        .route("/api/preview", post(api::preview::show))
        .route("/api/tasks", get(api::tasks::list))
        .route("/api/nodes", get(api::nodes::list))
        .route("/api/dropped", get(api::dropped::list))
        .route("/api/health", get(api::health::show))
        .route("/api/events", get(api::events::stream))
}

fn changing_routes() -> Router<Arc<Web>> {
    use axum::routing::{delete, patch};

    Router::new()
        .route("/api/jobs", post(api::create::create))
        .route("/api/jobs/{id}", patch(api::jobs::change))
        .route("/api/jobs/{id}", delete(api::jobs::remove))
        .route("/api/jobs/{id}/reschedule", post(api::jobs::reschedule))
        .route("/api/jobs/{id}/pause", post(api::jobs::pause))
        .route("/api/jobs/{id}/resume", post(api::jobs::resume))
        .route("/api/jobs/{id}/run", post(api::jobs::run_now))
        .route("/api/runs/{id}/cancel", post(api::runs::cancel))
}

/// Lets a request through to a route that takes this role.
async fn guard(
    State((web, needed)): State<(Arc<Web>, Role)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if !cross_site::is_allowed(&parts) {
        return Problem::cross_site().into_response();
    }
    if web.access.is_open() && !cross_site::is_by_own_name(&parts) {
        return Problem::foreign_name().into_response();
    }
    match web.access.role(&parts).await {
        None => Problem::unauthorized().into_response(),
        Some(role) if role < needed => Problem::read_only().into_response(),
        Some(role) => {
            parts.extensions.insert(role);
            let answer = next.run(Request::from_parts(parts, body));
            Scheduler::with_search_patience(PATIENCE, answer).await
        }
    }
}

/// What holds for every answer. The page's own files say themselves how long they may be kept.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_kept = response.extensions_mut().remove::<page::Kept>().is_some();
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_kept || status == StatusCode::INTERNAL_SERVER_ERROR {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
