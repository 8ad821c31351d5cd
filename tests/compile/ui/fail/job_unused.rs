#![deny(unused_must_use)]
use scheduler_core::prelude::*;

#[task]
async fn send(user: i64) {
    let _ = user;
}

fn main() {
    send::job(42);
}
