//! How many requests may search through the triggers that they bring, at a time.

use std::time::Duration;

use scheduler_core::Trigger;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// Searches at a time: the others of a machine's processors stay free for what the service is for.
const AT_ONCE: usize = 2;

/// How long a request waits for its turn. A search takes a tenth of a second at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets requests with costly triggers in, two at a time.
#[derive(Debug)]
pub(crate) struct Searches(Semaphore);

impl Searches {
    pub(crate) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// Waits for the turn of a request that brings this trigger; it lasts until the answer is dropped. Only
    /// a trigger that is made of others takes one: any other is searched in less than a millisecond.
    ///
    /// # Errors
    /// 429 when it takes too long.
    pub(crate) async fn turn(
        &self,
        trigger: Option<&Trigger>,
    ) -> Result<Option<SemaphorePermit<'_>>, Problem> {
        if !trigger.is_some_and(|trigger| matches!(trigger.kind(), "and" | "or")) {
            return Ok(None);
        }
        match tokio::time::timeout(PATIENCE, self.0.acquire()).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            _ => Err(Problem::too_many_searches()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::http::header::RETRY_AFTER;
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn third_search_waits_and_is_refused_unless_one_ends() {
        let searches = Searches::new();
        let both: Trigger = "or(@daily; every 1h)".parse().unwrap();
        let first = searches.turn(Some(&both)).await.unwrap();
        let second = searches.turn(Some(&both)).await.unwrap();
        assert!(first.is_some() && second.is_some());

        let refused = searches.turn(Some(&both)).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let response = refused.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        // What is searched in no time does not wait.
        let daily = Trigger::cron("@daily").unwrap();
        assert!(searches.turn(Some(&daily)).await.unwrap().is_none());
        assert!(searches.turn(None).await.unwrap().is_none());

        let (third, ()) = tokio::join!(searches.turn(Some(&both)), async { drop(first) });
        assert!(third.unwrap().is_some());
    }
}
