//! How a store connects: addresses, and what an application's own pool does with each connection.

use std::net::{Ipv6Addr, TcpListener};

use scheduler_sqlx::SqlStore;
use scheduler_tests::postgres::Cluster;

use crate::support::{Node, plain};

/// `false`, said aloud, where the machine has no IPv6.
fn has_ipv6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        println!("NOT RUN: a server at [::1], since this machine has no IPv6");
    }
    has
}

#[tokio::test]
async fn server_is_reached_at_an_ipv6_address() {
    if !has_ipv6() {
        return;
    }
    let Some(cluster) = Cluster::start_with(&[("listen_addresses", "127.0.0.1,::1")]) else {
        return;
    };
    let url = cluster.url("postgres").replace("127.0.0.1", "[::1]");
    let node = Node::start(SqlStore::connect(&url).await.unwrap()).await;
    node.add(plain().id("job").now()).await;
    node.ran("job", 1).await;
    node.stop().await;
}
