//! The heartbeats that renew the lease of this node.
//!
//! They are sent from a dedicated thread, so that no load of jobs can delay them. Only where time is virtual are they
//! sent from a task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, Reading, sleep};
use crate::engine::membership::Held;
use crate::engine::port::StorePort;
use crate::metrics;
use crate::store::StoreError;

/// Sends heartbeats until it is dropped.
#[derive(Debug)]
pub(super) struct Heartbeats(
    #[expect(dead_code, reason = "dropped to end the heartbeats")] watch::Sender<()>,
);

impl Heartbeats {
    pub(super) fn start(port: Arc<StorePort>, clock: Arc<dyn Clock>, warn: Warn) -> Self {
        let (sender, end) = watch::channel(());
        let from_thread = clock.heartbeats_from_thread();
        let heartbeats = renew_until(end, port, clock, warn);
        if !from_thread {
            tokio::spawn(heartbeats);
        } else if let Err(error) = std::thread::Builder::new()
            .name("scheduler-heartbeat".into())
            .spawn(move || match runtime() {
                Ok(runtime) => runtime.block_on(heartbeats),
                // The lease will run out, and the driver reports that.
                Err(error) => tracing::error!(%error, "no runtime for the heartbeats of this node"),
            })
        {
            tracing::error!(%error, "no thread for the heartbeats of this node");
        }
        Self(sender)
    }
}

/// Reports a problem that `health()` includes.
pub(super) type Warn = Box<dyn Fn(String) + Send + Sync>;

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn renew_until(
    mut end: watch::Receiver<()>,
    port: Arc<StorePort>,
    clock: Arc<dyn Clock>,
    warn: Warn,
) {
    let mut wait = Duration::ZERO;
    let mut is_renewed = true;
    loop {
        tokio::select! {
            biased;
            _ = end.changed() => return,
            // A heartbeat that has just failed is retried in a moment anyway.
            () = port.membership().confirmation_wanted(), if is_renewed => {}
            () = sleep(wait) => {}
        }
        let Some(held) = port.membership().held() else {
            // The driver will join again.
            wait = Duration::from_millis(100);
            continue;
        };
        wait = held.lease.heartbeat_every;
        let was_renewed = is_renewed;
        is_renewed = heartbeat(held, &port, &*clock, &warn).await.is_ok();
        port.membership().note_answered();
        metrics::lease_age(port.name(), port.membership().heartbeat_age());
        if !is_renewed {
            if was_renewed {
                // The driver is about to notice that the store fails and may as well notice now.
                port.wake();
            }
            look_around(held, &port, &*clock).await;
            // While the lease lasts there is no need to give up and every reason to retry.
            wait = (held.lease.heartbeat_every / 5).min(Duration::from_secs(1));
        }
    }
}

/// Checks for other nodes after a heartbeat that was not answered.
async fn look_around(held: Held, port: &StorePort, clock: &dyn Clock) {
    let begun = Reading::of(clock);
    let look = port.store().is_only_node(held.node);
    let answer = tokio::time::timeout(held.lease.heartbeat_every, look).await;
    match answer {
        Ok(Ok(true)) => {
            if port.membership().note_alone(held.node, begun) {
                tracing::warn!(node = %held.node, store = %port.name(), "the lease cannot be renewed, and there is no other node: running jobs continue");
            }
        }
        Ok(Ok(false)) => port.membership().note_others(held.node),
        // This says nothing about other nodes. The previous check counts for as long as it would have.
        Ok(Err(_)) | Err(_) => {}
    }
}

/// Sends one heartbeat, to learn the store's time before the first claim depends on it.
pub(super) async fn renew_at_once(
    port: &StorePort,
    clock: &dyn Clock,
    warn: &Warn,
) -> Result<(), StoreError> {
    let held = port.membership().held();
    match held {
        Some(held) => heartbeat(held, port, clock, warn).await,
        None => Err(StoreError::fenced()),
    }
}

/// Renews the lease, or returns why it was not renewed.
async fn heartbeat(
    held: Held,
    port: &StorePort,
    clock: &dyn Clock,
    warn: &Warn,
) -> Result<(), StoreError> {
    let (sent, asked) = (Reading::of(clock), port.clock().ask());
    let answer =
        tokio::time::timeout(held.lease.length / 2, port.store().heartbeat(held.node)).await;
    let heartbeat = match answer {
        Ok(Ok(heartbeat)) => heartbeat,
        Ok(Err(error)) => {
            port.clock().not_answered(asked);
            tracing::warn!(node = %held.node, store = %port.name(), %error, "the lease was not renewed");
            return Err(error);
        }
        Err(_) => {
            port.clock().not_answered(asked);
            tracing::warn!(node = %held.node, store = %port.name(), "the lease was not renewed: no answer");
            return Err(StoreError::new("a heartbeat was not answered"));
        }
    };
    if !heartbeat.is_alive {
        port.membership().lose(held.node);
        port.wake();
        return Err(StoreError::fenced());
    }
    port.membership().renew(held.node, sent);
    if let Some(offset) = port.clock().answered(asked, heartbeat.store_time) {
        warn(port.clocks_differ(offset));
    }
    if port.clock().went_back() {
        port.wake();
    }
    if port.clock().take_went_forward() {
        port.membership().begin_anew(held.node);
        // The clock has moved, so jobs may have become due.
        port.wake();
    }
    // Virtual time is unrelated to the store's.
    if heartbeat.needs_repair && clock.is_real() {
        port.membership().note_needs_repair();
        port.wake();
    }
    if heartbeat.has_lost {
        port.membership().note_lost();
        port.wake();
    }
    Ok(())
}
