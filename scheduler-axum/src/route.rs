//! A route: a handler, the role that it requires, and its description, from which its path and method are read.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::{OpenApi, PathItem};

use crate::access::Role;
use crate::state::Web;

/// The path of the API, below the path of the router.
const PREFIX: &str = "/api";

pub(crate) struct Route {
    /// The minimum role; `None` if the route is public.
    pub(crate) role: Option<Role>,
    /// The operation and the schemas that it refers to.
    pub(crate) description: OpenApi,
    handler: fn(MethodFilter) -> MethodRouter<Arc<Web>>,
}

impl Route {
    pub(crate) fn new(
        role: Option<Role>,
        description: OpenApi,
        handler: fn(MethodFilter) -> MethodRouter<Arc<Web>>,
    ) -> Self {
        Self {
            role,
            description,
            handler,
        }
    }

    /// Adds the handler under the path and method of its description.
    pub(crate) fn add_to(&self, mut router: Router<Arc<Web>>) -> Router<Arc<Web>> {
        for (path, item) in &self.description.paths.paths {
            for method in methods(item) {
                router = router.route(&format!("{PREFIX}{path}"), (self.handler)(method));
            }
        }
        router
    }
}

fn methods(item: &PathItem) -> impl Iterator<Item = MethodFilter> {
    let methods = [
        (&item.get, MethodFilter::GET),
        (&item.head, MethodFilter::HEAD),
        (&item.post, MethodFilter::POST),
        (&item.put, MethodFilter::PUT),
        (&item.patch, MethodFilter::PATCH),
        (&item.delete, MethodFilter::DELETE),
        (&item.options, MethodFilter::OPTIONS),
        (&item.trace, MethodFilter::TRACE),
    ];
    let described = methods
        .into_iter()
        .filter(|(operation, _)| operation.is_some());
    described.map(|(_, method)| method)
}

/// Creates the list of all routes from their handlers, by the role that they require.
///
/// Each handler is described on its own, so that its path and method need not be repeated here.
macro_rules! routes {
    ($($role:expr => [$($module:ident::$handler:ident),+ $(,)?])+) => {
        vec![$($({
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($module::$handler))]
            struct Described;

            $crate::route::Route::new(
                $role,
                <Described as utoipa::OpenApi>::openapi(),
                |method| axum::routing::on(method, $module::$handler),
            )
        }),+),+]
    };
}

pub(crate) use routes;
